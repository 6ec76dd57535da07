"""Fetches models into the store: from several places in turn, each checked before it counts."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

from understudy.errors import FetchError, ModelError, ModelFileError, NoSpaceError, UnderstudyError, out_of_space
from understudy.models.archives import extract_member
from understudy.models.download import FREE, Downloader, FetchOptions, FetchProgress, forget, host
from understudy.models.entries import Download, Entry
from understudy.models.leftovers import tidy
from understudy.models.store import Store, digest_of


class Fetcher:
    """Fetches models into a store. A context manager: archives that hold several models are kept until its end.

    Args:
        store: Where they go.
        options: How patient.
        progress: Told of every piece.
        note: Told in words what goes wrong on the way.
    """

    def __init__(
        self,
        store: Store,
        options: FetchOptions | None = None,
        progress: FetchProgress | None = None,
        note: Callable[[str], None] | None = None,
    ) -> None:
        self.store = store
        self._note = note or (lambda _: None)
        self._downloader = Downloader(options or FetchOptions(), progress, self._note)
        self._archives: list[Path] = []

    def __enter__(self) -> Fetcher:
        with suppress(UnderstudyError):  # where nothing can be written there is nothing to tidy up
            self._tidy()
        return self

    def __exit__(self, *_: object) -> None:
        for archive in self._archives:
            with self.store.lock(archive.name):
                forget(archive)
        with suppress(UnderstudyError):
            self._tidy()

    def _tidy(self) -> None:
        for part in tidy(self.store.folder("partial")):
            self._note(f"removed what was left of {part.stem}: parts are kept for a month, and few of them")

    def fetch(self, entry: Entry) -> bool:
        """Fetch a model; whether that was needed.

        Raises:
            FetchError: none of its places gave it; the message names each one's reason.
            ModelFileError: it is there already, altered.
            NoSpaceError: the disk is full; what was fetched is kept, and taken up again.
        """
        if self.store.verify(entry) == "there":  # what is here is also where nothing can be written
            return False
        with self.store.lock(entry.file.name):
            state = self.store.verify(entry)
            if state == "there":
                return False
            if state == "altered":
                self.store.read(entry)  # says how
            reasons = []
            for download in entry.file.sources:
                try:
                    self._take(entry, download)
                except (FetchError, ModelFileError) as fault:
                    reasons.append(f"{host(download.url)}: {fault.message}")
                    self._note(reasons[-1])
                    continue
                except NoSpaceError:
                    raise
                except OSError as fault:
                    if not out_of_space(fault):
                        raise ModelError(f"can't write into {self.store.root}: {fault}", "Check the disk.") from fault
                    raise NoSpaceError(self.store.root, FREE) from fault
                return True
        raise FetchError(
            f"{entry.name} could not be fetched: {'; '.join(reasons) or 'no place is known for it'}",
            f"Try again later, or put it there by hand: understudy models import {entry.file.name}",
        )

    def _take(self, entry: Entry, download: Download) -> None:
        """Fetch from one place. What proves wrong at the end is thrown away: if it was resumed, once more from zero."""
        self.store.folder("partial")
        most = self._downloader.most(entry.file.size)
        part = self.store.partial(entry.file.name)
        for attempt in (1, 2):
            resumed = part.exists() and download.member is None
            if download.member is None:
                self._downloader.download(download.url, part, entry.file.size, exact=entry.file.sha256 is not None)
            else:
                with self.store.lock(self.store.archive(download).name):
                    try:
                        extract_member(self._archive(download), download.member, part, most)
                    except ModelFileError:
                        forget(part)
                        raise
            try:
                self.store.add(entry, part, download.url)
            except ModelFileError:
                forget(part)
                if resumed and attempt == 1:
                    continue
                raise
            forget(part)
            return

    def _archive(self, download: Download) -> Path:
        """The archive that a file is in, checked where its digest is known. Its lock is held."""
        path = self.store.archive(download)
        if path in self._archives and path.exists():
            return path
        self._downloader.download(download.url, path, download.size, exact=download.sha256 is not None)
        if download.sha256 is not None and digest_of(path, self._downloader.most(download.size)) != download.sha256:
            forget(path)
            raise FetchError("the archive is not the one that the catalogue means", "")
        self._archives.append(path)
        return path
