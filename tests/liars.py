"""Options and releases that are not what they say they are."""

from __future__ import annotations

from types import SimpleNamespace

from understudy.errors import SigningError
from understudy.provenance import LabelOptions, WatermarkOptions
from understudy.release import SignedFile, Tags


class Quiet(LabelOptions):
    """A label that says it is valid and is not."""

    def __post_init__(self):
        pass


class Silent(WatermarkOptions):
    def __post_init__(self):
        pass


class Odd(float):
    """A number that is another one as soon as it is used."""

    def __mul__(self, other):
        return 0.0

    __rmul__ = __add__ = __radd__ = __sub__ = __rsub__ = __mul__

    def __le__(self, other):
        return True

    __ge__ = __lt__ = __gt__ = __le__


class Unsigned:
    """A release that signs nothing."""

    tags, notes = Tags(b"", {}), []

    def sign(self, path, final):
        return SimpleNamespace(path=path, sidecar=None)


class Kept:
    """A release that fails, and keeps what a sink wrote."""

    tags, notes = Tags(b"", {}), []

    def __init__(self, place):
        self.place = place

    def sign(self, path, final):
        self.place.write_bytes(path.read_bytes())
        raise SigningError("no", "no")


class Wrapped:
    """A release that does something to a file before or after it has it signed."""

    def __init__(self, inner, before=lambda path: None, after=lambda path: None, swap=lambda signed: signed, tags=None):
        self.inner, self.before, self.after, self.swap = inner, before, after, swap
        self.tags, self.notes = tags or inner.tags, inner.notes

    def sign(self, path, final):
        self.before(path)
        signed = self.inner.sign(path, final)
        self.after(path)
        return self.swap(signed)


def signed_by_hand():
    return object.__new__(SignedFile)
