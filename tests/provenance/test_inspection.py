"""What is said of files: untouched, altered, copied, transplanted, broken, or of somebody else."""

from __future__ import annotations

import json
import shutil
import struct
import tracemalloc

import av
import numpy as np
import pytest
from PIL import Image

import understudy
from tests.provenance.certificates import certificate
from understudy.cli.main import main
from understudy.provenance.credentials import Credentials, read_credentials
from understudy.provenance.fingerprint import BITS, SAME, ClipHash, closest, difference, picture_hash
from understudy.provenance.metadata import Claims
from understudy.provenance.records.ledger import Record
from understudy.provenance.verdict import Evidence, judge
from understudy.provenance.watermark import Mark
from understudy.tasks.mark_search import within_borders
from understudy.testing import ClipSpec, write_clip


@pytest.mark.slow
def test_a_file_sent_through_another_program_is_told_apart(make, own, small_clip, tmp_path, capfd):
    """Swap, re-encode to another size, inspect: the truth, as a user would see it."""
    output, sent = make("out.mp4", small_clip), tmp_path / "sent.mp4"
    with av.open(str(output)) as source, av.open(str(sent), "w") as sink:
        stream = sink.add_stream("libx264", rate=25, options={"crf": "23"})
        stream.width, stream.height, stream.pix_fmt = 400, 300, "yuv420p"
        for frame in source.decode(video=0):
            sink.mux(stream.encode(frame.reformat(width=400, height=300)))
        sink.mux(stream.encode(None))
    assert main(["inspect", str(sent), "--home", str(own.root)]) == 0
    said = capfd.readouterr().out
    assert "made by this tool, altered since" in said
    assert "the ledger's record" in said
    elsewhere = understudy.inspect(sent, home=tmp_path / "nobody")
    assert elsewhere.verdict == "unknown"
    assert any("was found" in reason and "no record" in reason for reason in elsewhere.reasons)


@pytest.mark.slow
def test_a_tampered_file_is_called_altered(make, own):
    output = make("out.png")
    with Image.open(output) as picture:
        pixels = np.asarray(picture.convert("RGB")).copy()
    data = bytearray(output.read_bytes())
    data[len(data) // 2] ^= 1
    output.write_bytes(data)
    assert read_credentials(output, None).state in ("altered", "unreadable")
    pixels[:40, :40] = 0
    Image.fromarray(pixels).save(output)  # its credentials are gone
    found = understudy.inspect(output, home=own.root)
    assert found.credentials.state == "absent"
    assert found.verdict == "made by this tool, altered since"


@pytest.mark.slow
def test_what_was_put_where_the_signature_does_not_look_is_told(make, own, small_clip):
    output = make("out.mp4", small_clip)
    whole = understudy.inspect(output, home=own.root)
    with output.open("ab") as file:
        file.write(struct.pack(">I4s", 16, b"free") + b"a secret")
    found = understudy.inspect(output, home=own.root)
    assert found.credentials.state == "valid"
    assert found.verdict == "made by this tool"
    told = [reason.name for reason in found.reasons if reason not in whole.reasons]
    assert told == ["other_bytes"]


@pytest.mark.slow
@pytest.mark.parametrize("what", ["mirrored", "on a page", "in a tall picture", "both"])
def test_a_mirror_image_or_one_with_borders_around_it_is_known_by_mark_and_record(make, own, tmp_path, what):
    with Image.open(make()) as output:
        picture = np.asarray(output.convert("RGB"))
    if what in ("mirrored", "both"):
        picture = picture[:, ::-1]
    if what != "mirrored":
        beside = ((150, 400), (300, 80), (0, 0)) if what == "on a page" else ((500, 500), (0, 0), (0, 0))
        picture = np.pad(picture, beside, constant_values=240)
    sent = tmp_path / "sent.jpg"
    Image.fromarray(np.ascontiguousarray(picture)).save(sent, quality=85)
    found = understudy.inspect(sent, home=own.root)
    assert found.verdict == "made by this tool, altered since"
    assert found.distance <= SAME / 2
    assert found.mark.mirrored == (what in ("mirrored", "both"))


def edited_elsewhere(picture, edited, folder):
    """Save a picture anew, cropped and small, as an editor does that signs what it saves and names what it opened."""
    import c2pa

    chain, key = certificate(folder)
    with Image.open(picture) as opened:
        opened.convert("RGB").crop((100, 100, 300, 300)).resize((90, 90)).save(folder / "plain.jpg")
    opening = {"action": "c2pa.opened", "parameters": {"ingredientIds": ["opened"]}}
    said = {
        "claim_generator_info": [{"name": "Editor", "version": "1"}],
        "assertions": [{"label": "c2pa.actions.v2", "data": {"actions": [opening]}}],
    }
    parent = {"title": "opened", "relationship": "parentOf", "instance_id": "opened"}
    builder = c2pa.Builder(json.dumps(said))
    with picture.open("rb") as file:
        builder.add_ingredient(json.dumps(parent), "image/png", file)
    signer = c2pa.Signer.from_info(c2pa.C2paSignerInfo(b"es256", chain.read_bytes(), key.read_bytes(), None))
    with (folder / "plain.jpg").open("rb") as plain, edited.open("w+b") as written:
        builder.sign(signer, "image/jpeg", plain, written)


@pytest.mark.slow
def test_credentials_of_an_editor_that_name_a_swap_as_what_was_opened_are_told(make, own, tmp_path):
    output, edited = make(), tmp_path / "edited.jpg"
    edited_elsewhere(output, edited, tmp_path / "editor")
    found = understudy.inspect(edited, home=own.root)
    assert (found.verdict, found.mark, found.credentials.tool) == ("unknown", None, "Editor/1")
    identifier = f"{understudy.inspect(output, home=own.root).credentials.identifier:012x}"
    assert found.credentials.earlier == (identifier,)
    assert any("this tool had made" in reason and identifier in reason for reason in found.reasons)


def low_rate_clip(path, pictures):
    """A clip with five pictures a second, of which several lie between two with which decoding can begin."""
    write_clip(path, pictures, ClipSpec(rate=5, audio=(), options=(("crf", "18"), ("g", "20"))))


@pytest.mark.parametrize("border", [0, 300])
def test_borders_of_a_large_picture_are_found_without_copies_of_it(border):
    """A photo may have 96 million pixels, and three bytes of each are held already."""
    width, height = 2400, 2000
    picture = np.random.default_rng(0).integers(0, 255, (height, width, 3), np.uint8)
    picture[:border] = 255
    luma = picture[:, :, 0].copy()
    tracemalloc.start()
    try:
        assert (within_borders(luma) is None) == (border == 0)
        taken = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert taken < 2.5 * luma.nbytes  # turned on its side, once


@pytest.mark.slow
def test_a_swap_that_was_cut_in_behind_something_else_is_found(make, own, tmp_path):
    import cv2

    with Image.open(make()) as output:
        marked = cv2.resize(np.asarray(output.convert("RGB"))[:, :, ::-1], (360, 360), interpolation=cv2.INTER_AREA)
    other = np.random.default_rng(0).integers(90, 110, (360, 360, 3), np.uint8)
    low_rate_clip(tmp_path / "cut.mp4", [other] * (17 * 5) + [marked] * (4 * 5))
    found = understudy.inspect(tmp_path / "cut.mp4", home=own.root)
    assert found.verdict == "made by this tool, altered since"


@pytest.mark.slow
def test_of_a_long_clip_it_is_said_that_not_all_of_it_was_searched(own, tmp_path):
    picture = np.random.default_rng(0).integers(90, 110, (96, 96, 3), np.uint8)
    for seconds, told in ((12, []), (24, []), (90, ["searched_in_part"])):
        low_rate_clip(tmp_path / "long.mp4", [picture] * (seconds * 5))
        found = understudy.inspect(tmp_path / "long.mp4", home=own.root)
        assert found.verdict == "unknown"
        assert [reason.name for reason in found.reasons] == ["nothing", *told], seconds
    assert "only 3" in found.reasons[-1]
    assert "may be in the rest" in found.reasons[-1]


@pytest.mark.slow
def test_a_transplanted_mark_is_called_out(make, own, hopper, tmp_path):
    from understudy.frames import Frame
    from understudy.provenance.watermark import Watermarker

    identifier = understudy.inspect(make(), home=own.root).mark.identifier
    other = Frame(hopper.copy())
    Watermarker(identifier).mark(other)
    Image.fromarray(other.picture[:, :, ::-1].copy()).save(tmp_path / "forged.png")
    found = understudy.inspect(tmp_path / "forged.png", home=own.root)
    assert found.mark.identifier == identifier
    assert found.verdict == "unknown"
    assert any("transplanted" in reason for reason in found.reasons)


@pytest.mark.slow
def test_credentials_transplanted_onto_another_picture_do_not_hold(make, own, hopper_path, small_clip, tmp_path):
    output = make("out.mkv", small_clip)
    other = tmp_path / "other.mkv"
    shutil.copy(small_clip, other)
    shutil.copy(f"{output}.c2pa", f"{other}.c2pa")
    found = understudy.inspect(other, home=own.root)
    assert any("another file" in reason for reason in found.reasons)
    assert found.credentials.state == "altered"
    assert found.verdict == "unknown"


@pytest.mark.slow
def test_of_an_unmarked_file_nothing_is_claimed(own, hopper_path, capfd):
    found = understudy.inspect(hopper_path, home=own.root)
    assert (found.verdict, found.mark, found.record) == ("unknown", None, None)
    assert main(["inspect", str(hopper_path), "--json", "--home", str(own.root)]) == 0
    said = json.loads(capfd.readouterr().out)
    assert said["verdict"] == "unknown"
    assert "real" not in json.dumps(said).lower().replace("already", "")
    assert not own.root.exists()


@pytest.mark.slow
@pytest.mark.parametrize("what", ["text", "half", "noise"])
def test_broken_files_are_looked_at_as_far_as_they_go(make, own, tmp_path, what):
    path = make()
    if what == "text":
        path.write_text("hello")
    elif what == "half":
        path.write_bytes(path.read_bytes()[:4000])
    else:
        path.write_bytes(np.random.default_rng(0).bytes(5000))
    found = understudy.inspect(path, home=own.root)
    assert found.verdict == "unknown"
    assert found.notes
    assert not any("mark was not found" in reason or "no mark" in reason for reason in found.reasons)


def test_missing_and_empty_files_are_input_errors(tmp_path, capfd):
    (tmp_path / "empty.png").touch()
    for name in ("none.png", "empty.png"):
        assert main(["inspect", str(tmp_path / name)]) == 3
        assert capfd.readouterr().err.startswith("error: ")


def test_hashes_tell_pictures_apart_and_copies_together(hopper, astronaut):
    import cv2

    small = cv2.resize(hopper, None, fx=0.4, fy=0.4)
    code = cv2.imdecode(cv2.imencode(".jpg", small, [cv2.IMWRITE_JPEG_QUALITY, 40])[1], 1)
    assert difference(picture_hash(hopper), picture_hash(code)) <= SAME / 2
    assert difference(picture_hash(hopper), picture_hash(astronaut)) > BITS / 4


def test_a_long_clip_is_known_by_its_beginning(hopper):
    """Half an hour with a new picture every four seconds."""
    clip, seen = ClipHash(), []
    rng = np.random.default_rng(0)
    pictures = [np.asarray(rng.integers(0, 256, (8, 8, 3)), np.uint8).repeat(8, 0).repeat(8, 1) for _ in range(450)]
    for second in range(1800):
        clip.add(float(second), pictures[second // 4])
        if second < 15:
            seen.append(picture_hash(pictures[second // 4]))
    assert len(clip.hashes) <= 601
    assert closest(seen, clip.hashes) <= SAME


def evidence(**values):
    known = {
        "credentials": Credentials("absent"),
        "mark": None,
        "claims": Claims(None, None),
        "record": None,
        "same_file": False,
        "distance": None,
    }
    return Evidence(**(known | values))


MARK = Mark(0xABC, 0.99, 2e-7, 1.0, 1.0, False, 1)


def entry(identifier):
    return Record(identifier, "2026-01-01T00:00:00", "image", "mesh", "1", (), "", "", (), "AI", ())


def test_a_painted_mark_and_a_self_made_signature_do_not_outweigh_the_ledger():
    signed = Credentials("valid", tool="Understudy/1", identifier=0xABC)
    verdict, reasons = judge(evidence(credentials=signed, mark=MARK, record=entry(f"{0xABC:012x}"), distance=121))
    assert verdict == "unknown"
    assert any("transplanted" in reason for reason in reasons)


def test_a_mark_of_one_output_and_credentials_of_another_confirm_nothing():
    broken = Credentials("altered", tool="Understudy/1", identifier=0xDEF)
    verdict, reasons = judge(evidence(credentials=broken, mark=MARK, record=entry(f"{0xDEF:012x}"), distance=3))
    assert verdict == "unknown"
    assert any("its credentials name output" in reason for reason in reasons)


def test_where_nothing_can_be_compared_no_difference_is_claimed():
    _, reasons = judge(evidence(mark=MARK, record=entry(f"{0xABC:012x}")))
    assert any("nothing to compare" in reason for reason in reasons)
    assert not any("differs" in reason for reason in reasons)


@pytest.mark.parametrize(
    ("label", "said"),
    [
        ("1", ": made by AI"),
        ("2", ": possibly made"),
        ("3", ": suspected to be"),
        ("4", "can be"),
        (None, "can"),
    ],
)
def test_an_aigc_label_that_only_suspects_is_not_said_to_know(label, said):
    _, reasons = judge(evidence(claims=Claims(None, {} if label is None else {"Label": label})))
    assert said in reasons[0]
    assert ("made by AI" in reasons[0]) == (label in ("1", "2", "3"))
