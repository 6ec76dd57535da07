"""A file gets its name only if it is signed as it was written."""

from __future__ import annotations

from types import SimpleNamespace

import pytest
from PIL import Image

from tests.evidence import left
from tests.liars import Wrapped, signed_by_hand
from understudy.errors import SigningError
from understudy.face import Faces
from understudy.media.base import MediaKind
from understudy.media.files import EncodeOptions, open_sink, open_source
from understudy.provenance.credentials import read_credentials
from understudy.release import SIDECAR_SUFFIX, Tags
from understudy.testing.opened import output_of


def spoil(path):
    with path.open("ab") as file:
        file.write(b"more")


def replaced(path):
    Image.new("RGB", (64, 64)).save(path, "PNG")


@pytest.mark.parametrize(
    ("error", "ways"),
    [
        (TypeError, {"swap": lambda signed: signed_by_hand()}),
        (TypeError, {"swap": lambda signed: SimpleNamespace(path=signed.path, sidecar=None)}),
        (TypeError, {"swap": lambda signed: None}),
        (SigningError, {"tags": Tags(b"", {})}),
        (SigningError, {"before": replaced}),
        (SigningError, {"before": spoil}),
        (SigningError, {"after": replaced}),
        (SigningError, {"after": spoil}),
        (SigningError, {"after": lambda path: path.write_bytes(b"")}),
    ],
)
def test_what_is_not_signed_as_it_was_written_gets_no_name(error, ways, astronaut_path, tmp_path):
    made = output_of(astronaut_path, MediaKind.IMAGE)
    with open_source(astronaut_path) as source:
        info, frame = source.info, next(iter(source))
    with (
        pytest.raises(error),
        open_sink(tmp_path / "out.png", info, EncodeOptions(), Wrapped(made.release, **ways)) as s,
    ):
        s.write(made.sealer.seal(frame, Faces.empty()))
    assert left(tmp_path) == []


def test_a_sidecar_that_is_changed_gets_no_name(astronaut_path, small_clip, tmp_path):
    made = output_of(small_clip, MediaKind.VIDEO)
    spoiled = Wrapped(made.release, after=lambda path: spoil(path.with_name(path.name + SIDECAR_SUFFIX)))
    with open_source(small_clip) as source:
        info, frame = source.info, next(iter(source))
    with (
        pytest.raises(SigningError, match="after"),
        open_sink(tmp_path / "out.mkv", info, EncodeOptions(), spoiled) as sink,
    ):
        sink.write(made.sealer.seal(frame, Faces.empty()))
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(("suffix", "kind"), [("png", MediaKind.IMAGE), ("mp4", MediaKind.VIDEO)])
def test_a_file_takes_no_frame_of_another_output(suffix, kind, astronaut_path, small_clip, tmp_path):
    """Its mark would name one output and its signature another."""
    target = astronaut_path if kind is MediaKind.IMAGE else small_clip
    one, other = (output_of(target, kind) for _ in range(2))
    with open_source(target) as source:
        info, frame = source.info, next(iter(source))
    with (
        pytest.raises(TypeError, match="of the output"),
        open_sink(tmp_path / f"out.{suffix}", info, EncodeOptions(), one.release) as sink,
    ):
        sink.write(other.sealer.seal(frame, Faces.empty()))
    assert left(tmp_path) == []


@pytest.mark.parametrize("suffix", ["png", "jpg", "mp4", "mkv", "webm", "gif"])
def test_a_file_that_no_sink_has_written_is_not_signed(suffix, astronaut_path, small_clip, tmp_path):
    target = astronaut_path if suffix in ("png", "jpg") else small_clip
    made = output_of(target, MediaKind.IMAGE)
    for content in (target.read_bytes(), b""):
        path = tmp_path / f"raw.{suffix}"
        path.write_bytes(content)
        with pytest.raises(SigningError, match="does not say"):
            made.release.sign(path, path)
        assert read_credentials(path, None).state == "absent"
        assert path.read_bytes() == content


def test_another_signed_file_does_not_stand_in(astronaut_path, tmp_path):
    made = output_of(astronaut_path, MediaKind.IMAGE)
    (tmp_path / "other.png").write_bytes(astronaut_path.read_bytes() + f"{made.sealer.identifier:012x}".encode())
    other = made.release.sign(tmp_path / "other.png", tmp_path / "other.png")
    with open_source(astronaut_path) as source:
        info, frame = source.info, next(iter(source))
    standing_in = Wrapped(made.release, swap=lambda signed: other)
    with (
        pytest.raises(SigningError, match="another"),
        open_sink(tmp_path / "out.png", info, EncodeOptions(), standing_in) as sink,
    ):
        sink.write(made.sealer.seal(frame, Faces.empty()))
    assert left(tmp_path) == ["other.png"]
