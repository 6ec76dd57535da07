"""Signs finished files with Content Credentials (C2PA 2.x): what was done to what by which engine.

The manifest names the target as parent (with the target's own manifest, embedded or beside it: marks that are there
are never stripped) and the photos as components. A photo is named by its digest only: neither its picture nor a
manifest of its own goes in, because either would carry the face on. Nothing here reaches the network: no time-stamp
authority, no OCSP, no remote manifests.
"""

from __future__ import annotations

import datetime as dt
import io
import json
import os
import stat
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import c2pa

from understudy.errors import ClockError, NoSpaceError, SigningError, UnderstudyError, out_of_space
from understudy.interruptions import give_up_if_interrupted
from understudy.provenance.carriers import UnwieldyError, carries_credentials
from understudy.provenance.credentials import (
    BYTES,
    EMBEDDABLE,
    OFFLINE,
    WATERMARK_ALGORITHM,
    Credentials,
    Interruptible,
    first_line,
    media_type,
    read_credentials,
)
from understudy.provenance.metadata import PRODUCER, SOURCE_TYPE_ROOT
from understudy.provenance.records.keys import SigningKey
from understudy.regular import read_regular
from understudy.release import SIDECAR_MOST, SIDECAR_SUFFIX, is_sidecar, sidecar_of
from understudy.text import listed, printable
from understudy.version import __version__

if TYPE_CHECKING:
    from typing_extensions import Buffer

#: Where the builder keeps the credentials that lay beside the target.
_TARGETS_OWN = "target.c2pa"


@dataclass(frozen=True)
class Work:
    """What was done, for the manifest.

    Attributes:
        identifier: The output's id, which its mark carries too.
        engines: Names of the engines.
        enhancers: Names of the networks that enhanced the result.
        source_type: IPTC's digital source type (see ``metadata``).
        target: The file that was swapped; None for live output.
        target_digest: Its SHA-256.
        source_digests: SHA-256 of the photos.
    """

    identifier: int
    engines: tuple[str, ...]
    enhancers: tuple[str, ...]
    source_type: str
    target: Path | None
    target_digest: str
    source_digests: tuple[str, ...]


def sign_file(path: Path, final: Path, work: Work, key: SigningKey) -> Path | None:
    """Sign a finished file in place, and read back what was written.

    Args:
        path: The file, under its temporary name.
        final: What it will be called.
        work: What was done.
        key: Whose signature.

    Returns:
        None, or the sidecar (under a temporary name beside the file) where the format carries no credentials.

    Raises:
        SigningError, NoSpaceError: it can't be signed; ``path`` is as it was.
        ClockError: nor for this machine's clock, which was set back since the key was opened.
    """
    kind = EMBEDDABLE.get(final.suffix.lower())
    title = printable(final.name)
    signed = path.with_name(f"{path.name}.signed{final.suffix}")
    sidecar = path.with_name(f"{path.name}{SIDECAR_SUFFIX}")
    copy: _Copy | None = None
    try:
        mode = path.stat().st_mode
        builder = _builder(work, title)
        with builder, _signer(key) as signer, Interruptible(path) as plain, _Copy(signed, mode) as copy:
            if kind is None:
                builder.set_no_embed()
                data = builder.sign(signer, BYTES, plain, copy)
            else:
                builder.sign(signer, kind, plain, copy)
        if kind is None:
            _write(sidecar, data, mode)
        _check(read_credentials(signed if kind else path, None), work, title)
        if kind is not None:
            signed.replace(path)
    except BaseException as fault:
        sidecar.unlink(missing_ok=True)
        if isinstance(fault, UnderstudyError) or not isinstance(fault, (c2pa.C2paError, OSError)):
            raise
        if (copy is not None and copy.full) or (isinstance(fault, OSError) and out_of_space(fault)):
            raise NoSpaceError(final) from fault
        if out_of_space(fault):  # it is the library's own file that has no room
            folder = Path(tempfile.gettempdir())
            raise NoSpaceError(
                folder, "Signing needs room there: free some, or name another folder in TMPDIR."
            ) from fault
        if (now := dt.datetime.now(dt.timezone.utc)) < key.valid_from:
            raise ClockError(f"{now:%Y-%m-%d %H:%M} UTC, before its signing certificate became valid") from fault
        raise SigningError(
            f"can't sign {title}: {first_line(fault)}",
            "Nothing was released. If it is your own certificate: does it suit C2PA (see docs/signing.md)?",
        ) from fault
    finally:
        signed.unlink(missing_ok=True)
    return sidecar if kind is None else None


def _check(found: Credentials, work: Work, title: str) -> None:
    """Make sure that what was signed is what lies on the disk.

    Raises:
        SigningError: it is not.
    """
    if found.state != "valid" or found.identifier != work.identifier:
        give_up_if_interrupted()
        raise SigningError(
            f"the signature of {title} does not hold: {found.state} ({', '.join(found.problems) or 'another id'})",
            "Nothing was released. Check the disk and try again.",
        )


def _write(path: Path, data: bytes, mode: int) -> None:
    with open(path, "xb", opener=lambda name, flags: os.open(name, flags, stat.S_IMODE(mode))) as file:
        file.write(data)


class _Copy(io.BufferedRandom):
    """The signed file as it is written. It remembers a full disk: the library says only that writing failed."""

    def __init__(self, path: Path, mode: int) -> None:
        private = os.open(path, os.O_RDWR | os.O_CREAT | os.O_EXCL | getattr(os, "O_BINARY", 0), stat.S_IMODE(mode))
        super().__init__(io.FileIO(private, "r+"))
        self.full = False

    def write(self, data: Buffer) -> int:
        with self._watched():
            return super().write(data)

    def flush(self) -> None:
        with self._watched():
            super().flush()

    def seek(self, place: int, origin: int = io.SEEK_SET) -> int:
        with self._watched():
            return super().seek(place, origin)

    @contextmanager
    def _watched(self) -> Iterator[None]:
        give_up_if_interrupted()
        try:
            yield
        except OSError as fault:
            self.full = self.full or out_of_space(fault)
            raise


def _signer(key: SigningKey) -> Any:
    if key.sign is not None:
        algorithm = c2pa.C2paSigningAlg[key.algorithm.upper()]
        return c2pa.Signer.from_callback(key.sign, algorithm, key.chain.decode(), None)
    return c2pa.Signer.from_info(c2pa.C2paSignerInfo(key.algorithm.encode(), key.chain, key.key, None))


def _builder(work: Work, title: str) -> Any:
    manifest = _manifest(work, title)
    target = work.target
    context = c2pa.Context.from_dict(OFFLINE)
    if target is None:
        return c2pa.Builder.from_json(json.dumps(manifest), context=context)
    parent = {"title": printable(target.name), "relationship": "parentOf", "label": "target"}
    kind = media_type(target) or BYTES
    beside = _beside(target) if kind == BYTES or not _carries(target, kind) else None
    if beside is not None:
        found, data = beside
        manifest["ingredients"].append({**parent, "instance_id": f"urn:sha256:{work.target_digest}", **found})
        builder = c2pa.Builder.from_json(json.dumps(manifest), context=context)
        builder.add_resource(_TARGETS_OWN, io.BytesIO(data))
        return builder
    builder = c2pa.Builder.from_json(json.dumps(manifest), context=context)
    with Interruptible(target) as file:
        try:
            builder.add_ingredient(json.dumps(parent), kind, file)
        except c2pa.C2paError:
            # Content that C2PA's reader can't parse: its bytes, then.
            file.seek(0)
            builder.add_ingredient(json.dumps(parent), BYTES, file)
    return builder


def _carries(path: Path, kind: str) -> bool:
    """Whether a file carries credentials itself."""
    try:
        if not carries_credentials(path, kind):
            return False
        with Interruptible(path) as file:
            reader = c2pa.Reader.try_create(kind, file, context=c2pa.Context.from_dict(OFFLINE))
            return reader is not None
    except (c2pa.C2paError, UnwieldyError):
        return False


def _beside(target: Path) -> tuple[dict[str, Any], bytes] | None:
    """The credentials in a target's sidecar, as an ingredient names them, and their bytes; None if there are none."""
    sidecar = sidecar_of(target)
    if not is_sidecar(sidecar):
        return None
    try:
        data = read_regular(sidecar, SIDECAR_MOST)
        with (
            Interruptible(target) as file,
            c2pa.Reader(media_type(target) or BYTES, file, data, context=c2pa.Context.from_dict(OFFLINE)) as reader,
        ):
            store = json.loads(reader.json())
        return {
            "format": BYTES,
            "active_manifest": store["active_manifest"],
            "validation_results": store["validation_results"],
            "manifest_data": {"format": "application/c2pa", "identifier": _TARGETS_OWN},
        }, data
    except (c2pa.C2paError, OSError, KeyError):
        return None  # not credentials that can be carried on: the target itself is named all the same


def _manifest(work: Work, title: str) -> dict[str, Any]:
    agent = {
        "name": f"{PRODUCER} {listed(work.engines)} {'engine' if len(work.engines) == 1 else 'engines'}",
        "version": __version__,
    }
    sources = [f"source{number}" for number in range(1, len(work.source_digests) + 1)]
    first: dict[str, Any] = {"action": "c2pa.opened", "parameters": {"ingredientIds": ["target"]}}
    if work.target is None:
        first = {"action": "c2pa.created", "digitalSourceType": SOURCE_TYPE_ROOT + work.source_type}
    edited = {
        "action": "c2pa.edited",
        "description": "A face was replaced, and the result labelled and marked.",
        "digitalSourceType": SOURCE_TYPE_ROOT + work.source_type,
        "softwareAgent": agent,
        "parameters": {"ingredientIds": sources},
    }
    actions = [first, edited]
    if work.enhancers:
        actions.append(
            {
                "action": "c2pa.edited",
                "description": f"The result was enhanced by {listed(work.enhancers)}.",
                "digitalSourceType": SOURCE_TYPE_ROOT + work.source_type,
                "softwareAgent": {"name": PRODUCER, "version": __version__},
            }
        )
    photos = [
        {
            "title": f"source photo {number}",
            "relationship": "componentOf",
            "label": label,
            "instance_id": f"urn:sha256:{digest}",
        }
        for number, (label, digest) in enumerate(zip(sources, work.source_digests, strict=True), 1)
    ]
    binding = {"alg": WATERMARK_ALGORITHM, "blocks": [{"scope": {}, "value": f"{work.identifier:012x}"}]}
    return {
        "claim_generator_info": [{"name": PRODUCER, "version": __version__}],
        "title": title,
        "ingredients": photos,
        "assertions": [
            {"label": "c2pa.actions.v2", "data": {"actions": actions}},
            {"label": "c2pa.soft-binding", "data": binding},
        ],
    }
