"""Whose face may be used: records of consent, their ends, and who is asked."""

from __future__ import annotations

import hashlib
import json
import os
import sqlite3
import stat
import subprocess
import sys
import time
from contextlib import closing
from dataclasses import replace

import pytest
from PIL import Image

from understudy.cli.consent import photo_of
from understudy.cli.main import main
from understudy.errors import (
    ConsentError,
    UsageError,
)
from understudy.provenance import ConsentClaim, Consents
from understudy.provenance.records.consent import Photo
from understudy.provenance.records.faces import FaceCache
from understudy.provenance.records.rows import body_of

posix = pytest.mark.skipif(os.name != "posix", reason="file modes")


def test_without_consent_nothing_is_made(make, tmp_path):
    with pytest.raises(ConsentError, match="no consent") as refusal:
        make(consent=None)
    assert refusal.value.exit_code == 4
    assert not (tmp_path / "out.png").exists()


@pytest.mark.slow
def test_a_record_allows_what_it_is_for_until_it_is_revoked(make, own, hopper_path):
    photo = photo_of(hopper_path)
    Consents(own).grant(photo, ConsentClaim("self", uses=("video",)))
    with pytest.raises(ConsentError, match="for video, not for image"):
        make(consent=None)
    given = Consents(own).grant(photo, ConsentClaim("self", uses=("image",)))
    make(consent=None)
    kept = FaceCache(own).folder(photo.digest)
    (kept / "something").write_text("learned")
    Consents(own).revoke(given.id)
    assert not kept.exists()
    with pytest.raises(ConsentError, match="revoked"):
        make(consent=None)
    with pytest.raises(ConsentError, match="revoked"):
        make(consent="self")  # the flag is not enough any more
    Consents(own).grant(photo, ConsentClaim("self"))
    make(consent=None)


@pytest.mark.parametrize("which", [0, 1])
def test_revoking_one_of_several_records_of_a_photo_revokes_all(own, hopper_path, which):
    photo, records = photo_of(hopper_path), Consents(own)
    given = [records.grant(photo, ConsentClaim(ground)) for ground in ("self", "fictional")]
    assert {record.id for record in records.revoke(given[which].id)} == {record.id for record in given}
    assert {record.state for record in records.all()} == {"revoked"}
    with pytest.raises(ConsentError, match="revoked"):
        records.require(photo, "video", None)
    records.grant(photo, ConsentClaim("self"))
    assert records.require(photo, "video", None).state == "valid"


def test_an_expired_record_allows_nothing(make, own, hopper_path):
    Consents(own).grant(photo_of(hopper_path), ConsentClaim("self", days=1))
    with sqlite3.connect(own.root / "consents.sqlite") as database:
        ((name, body),) = database.execute("SELECT id, body FROM consents").fetchall()
        old = json.loads(body) | {"expires": "2020-01-01T00:00:00.000+00:00"}
        database.execute("UPDATE consents SET body = ? WHERE id = ?", (json.dumps(old), name))
    database.close()
    with pytest.raises(ConsentError, match="expired on 2020-01-01"):
        make(consent=None)


def test_a_photo_saved_anew_is_the_same_photo_and_another_is_not(own, hopper_path, astronaut_path, tmp_path):
    with Image.open(hopper_path) as picture:
        picture.resize((picture.width // 2, picture.height // 2)).save(tmp_path / "copy.jpg", quality=70)
    copy, photo, other = (photo_of(path) for path in (tmp_path / "copy.jpg", hopper_path, astronaut_path))
    assert copy.digest != photo.digest
    assert copy.is_copy_of(photo)
    assert not other.is_copy_of(photo)
    Consents(own).revoke(Consents(own).grant(photo, ConsentClaim("self")).id)
    with pytest.raises(ConsentError, match="revoked"):
        Consents(own).require(copy, "image", ConsentClaim("self"))


@pytest.mark.parametrize(
    "claim",
    [
        {"ground": "granted"},
        {"ground": "granted", "note": "  "},
        {"ground": "granted", "note": "\u200b\u2060"},
        {"ground": "granted", "note": "-"},
        {"ground": "yes"},
        {"ground": "self", "uses": ("all",)},
        {"ground": "self", "uses": ()},
        {"ground": "self", "days": 0},
    ],
)
def test_half_a_claim_is_none(claim):
    with pytest.raises(UsageError):
        ConsentClaim(**claim)


@pytest.mark.parametrize(
    "claim", [{"note": None}, {"note": 0}, {"note": b"x"}, {"uses": 1}, {"uses": (1,)}, {"days": "7"}, {"days": 1.5}]
)
def test_a_claim_of_other_types_is_refused_before_it_is_written(own, hopper_path, claim):
    with pytest.raises((TypeError, UsageError)):
        Consents(own).grant(photo_of(hopper_path), ConsentClaim("fictional", **claim))
    assert Consents(own).all() == Consents(own).unreadable() == []


def test_uses_may_be_a_list_or_one_word():
    assert ConsentClaim("self", uses=["image"]) == ConsentClaim("self", uses="image")
    assert ConsentClaim("self", uses=["image"]).uses == ("image",)


def spoil(own, number, **values):
    """Have fields of a record hold something else."""
    with closing(sqlite3.connect(own.root / "consents.sqlite")) as database, database:
        ((body,),) = database.execute("SELECT body FROM consents WHERE id = ?", (number,)).fetchall()
        database.execute("UPDATE consents SET body = ? WHERE id = ?", (json.dumps(json.loads(body) | values), number))


def test_a_record_that_can_not_be_read_leaves_the_others_as_they_are(own, hopper_path, astronaut_path, capfd):
    broken = Consents(own).grant(photo_of(hopper_path), ConsentClaim("self"))
    other = Consents(own).grant(photo_of(astronaut_path), ConsentClaim("self"))
    spoil(own, broken.id, note=None)
    assert Consents(own).require(photo_of(astronaut_path), "image", None) == other
    Consents(own).check_valid([other.id])
    with pytest.raises(ConsentError, match=broken.id):
        Consents(own).check_valid([broken.id])
    assert main(["consent", "list", "--home", str(own.root), "--json"]) == 0
    told = json.loads(capfd.readouterr().out)
    assert [one["id"] for one in told["consents"]] == [other.id]
    assert [(one["id"], "note is not text" in one["reason"]) for one in told["unreadable"]] == [(broken.id, True)]
    assert [record.state for record in Consents(own).revoke(other.id)] == ["revoked"]


@pytest.mark.parametrize("way", ["id", "photo"])
def test_a_record_that_can_not_be_read_allows_nothing_until_it_is_revoked_and_granted_anew(own, hopper_path, way):
    photo = photo_of(hopper_path)
    broken = Consents(own).grant(photo, ConsentClaim("self"))
    spoil(own, broken.id, note=None)
    for claim in (None, ConsentClaim("self")):  # it may have been revoked in it
        with pytest.raises(ConsentError, match=f"{broken.id} can't be read") as told:
            Consents(own).require(photo, "image", claim)
        assert f"consent revoke {broken.id}" in told.value.hint
    kept = FaceCache(own).folder(photo.digest)
    (record,) = Consents(own).revoke(*((broken.id,) if way == "id" else ("", photo)))
    assert (record.id, record.state, record.digest) == (broken.id, "revoked", photo.digest)
    assert not kept.exists()
    assert (Consents(own).all(), Consents(own).unreadable()) == ([record], [])
    with pytest.raises(ConsentError, match="was revoked"):
        Consents(own).require(photo, "image", ConsentClaim("self"))
    given = Consents(own).grant(photo, ConsentClaim("self"))
    assert Consents(own).require(photo, "image", None) == given


def test_a_record_of_which_not_even_the_photo_is_known_is_removed_by_its_id(own, hopper_path, astronaut_path):
    broken = Consents(own).grant(photo_of(hopper_path), ConsentClaim("self"))
    spoil(own, broken.id, digest=7)
    with pytest.raises(ConsentError, match=f"{broken.id} can't be read"):
        Consents(own).require(photo_of(astronaut_path), "image", ConsentClaim("self"))
    assert Consents(own).revoke(broken.id) == []
    assert Consents(own).unreadable() == []
    assert Consents(own).require(photo_of(astronaut_path), "image", ConsentClaim("self")).state == "valid"


def test_sample_is_for_the_portraits_that_come_along(own, blank, tmp_path):
    Image.fromarray(blank).save(tmp_path / "me.png")
    with pytest.raises(ConsentError, match="not one of the portraits"):
        Consents(own).require(photo_of(tmp_path / "me.png"), "image", ConsentClaim("sample"))


def test_a_note_that_lacks_is_asked_for_by_the_command_s_own_option(own, hopper_path, capfd):
    words = ["consent", "grant", str(hopper_path), "--home", str(own.root), "--ground"]
    assert main([*words, "granted"]) == 2
    assert "of `consent grant`: --note" in capfd.readouterr().err
    assert main([*words, "yes"]) == 2
    said = capfd.readouterr().err
    assert "no ground 'yes'" in said
    assert "--consent" not in said


@pytest.mark.slow
def test_consent_from_the_command_line(own, hopper_path, capfd):
    home = ["--home", str(own.root)]
    assert main(["consent", "grant", str(hopper_path), "--ground", "granted", *home]) == 2  # no note
    words = ["--ground", "granted", "--note", "signed form", "--for", "image", "--json", *home]
    capfd.readouterr()
    assert main(["consent", "grant", str(hopper_path), *words]) == 0
    (given,) = json.loads(capfd.readouterr().out)["consents"]
    assert (given["uses"], given["note"]) == (["image"], "signed form")
    assert main(["consent", "list", *home]) == 0
    assert given["id"] in capfd.readouterr().out
    assert main(["consent", "revoke", str(hopper_path), *home]) == 0
    assert main(["consent", "revoke", "ffffffff", *home]) == 2
    capfd.readouterr()
    assert main(["consent", "list", "--json", *home]) == 0
    assert json.loads(capfd.readouterr().out)["consents"][0]["state"] == "revoked"
    assert main(["consent", "form"]) == 0
    form = capfd.readouterr().out
    assert "18 or older" in form
    assert "live output, and recordings of it" in form


@posix
@pytest.mark.slow
def test_whoever_sits_at_a_terminal_is_asked_in_plain_words(own, hopper_path, astronaut_path, tmp_path):
    import pty

    words = ["-m", "understudy", "swap", "-s", str(hopper_path), "-t", str(astronaut_path), "--home", str(own.root)]

    def answering(answers, output):
        parent, child = pty.openpty()
        with subprocess.Popen(
            [sys.executable, *words, "-o", str(output)], stdin=child, stdout=child, stderr=child
        ) as process:
            os.close(child)
            said = b""
            waiting = list(answers)
            while True:
                try:
                    part = os.read(parent, 4096)
                except OSError:  # its end, as Linux says it
                    break
                if not part:
                    break
                said += part
                if waiting and said.rstrip().endswith(b":"):
                    os.write(parent, f"{waiting.pop(0)}\n".encode())
            os.close(parent)
        return process.returncode, said.decode()

    code, said = answering(["0"], tmp_path / "no.png")
    assert (code, (tmp_path / "no.png").exists()) == (4, False)
    assert "Whose face is in grace_hopper.jpg?" in said
    assert "This is my own face, and I am 18 or older." in said
    code, said = answering(["2", "a signed form of 2026-05-04"], tmp_path / "yes.png")
    assert (code, (tmp_path / "yes.png").exists()) == (0, True), said
    (consent,) = Consents(own).all()
    assert (consent.ground, consent.note) == ("granted", "a signed form of 2026-05-04")
    code, said = answering([], tmp_path / "again.png")  # not asked twice
    assert code == 0, said


@pytest.mark.slow
@posix
def test_private_files_are_private(make, own):
    make()
    for path in [own.root, *own.root.rglob("*")]:
        assert stat.S_IMODE(path.stat().st_mode) == (0o700 if path.is_dir() else 0o600), path


def test_a_files_records_end_without_those_of_a_copy_and_can_be_made_anew(own, hopper_path):
    records, photo, claim = Consents(own), photo_of(hopper_path), ConsentClaim("self")
    copy = replace(photo, name="copy.png", digest="0" * 64)
    records.require(photo, "image", claim)
    records.require(copy, "image", claim)  # relies on the first one's
    assert [one.name for one in records.all()] == [photo.name]
    records.own(copy, claim)
    records.own(copy, claim)
    assert [one.name for one in records.all()] == [photo.name, copy.name]
    kept = [FaceCache(own).folder(digest) for digest in (photo.digest, copy.digest)]
    records.end(copy.name)
    assert [one.state for one in records.all()] == ["valid", "expired"]
    assert [folder.exists() for folder in kept] == [True, False]
    assert records.require(copy, "image", None).name == photo.name
    records.end(photo.name)
    assert not kept[0].exists()
    with pytest.raises(ConsentError, match="expired"):
        records.require(copy, "image", None)
    assert records.require(copy, "image", claim).state == "valid"


def test_records_are_asked_whether_they_still_hold(own, hopper_path, astronaut_path):
    records = Consents(own)
    paths = (hopper_path, astronaut_path)
    first, other = (records.grant(photo_of(path), ConsentClaim("self")) for path in paths)
    records.check_valid([first.id, other.id])
    records.revoke(first.id)
    records.check_valid([other.id])
    with pytest.raises(ConsentError, match=f"{hopper_path.name} was revoked"):
        records.check_valid([other.id, first.id])
    with pytest.raises(ConsentError, match="00000000 is gone"):
        records.check_valid(["00000000"])


def test_a_claim_that_is_not_for_a_use_does_not_allow_it(own, hopper_path):
    photo, records = photo_of(hopper_path), Consents(own)
    for given in (False, True):  # with a record that would do, and without
        if given:
            records.grant(photo, ConsentClaim("self"))
        with pytest.raises(ConsentError, match="this consent is not for video") as refusal:
            records.require(photo, "video", ConsentClaim("self", uses=("image", "live")))
        assert "Grant it for that use" in refusal.value.hint
        assert len(records.all()) == given


@pytest.mark.slow
def test_among_thousands_of_records_each_photo_takes_a_moment(own):
    def photo(number):
        digest = hashlib.sha256(b"%d" % number).hexdigest()
        return Photo(f"{number}.png", digest, digest)

    records, claim = Consents(own), ConsentClaim("self")
    first = records.grant(photo(0), claim)
    with closing(sqlite3.connect(own.root / "consents.sqlite", isolation_level=None)) as database:
        rows = []
        for number in range(1, 8000):
            digest = photo(number).digest
            rows.append((f"{number:08x}", body_of(replace(first, id=f"{number:08x}", digest=digest, look=digest))))
        database.execute("BEGIN")
        database.executemany("INSERT INTO consents VALUES (?, ?)", rows)
        database.execute("COMMIT")
    records.all()
    begin = time.perf_counter()
    for number in range(8000, 8030):
        assert records.require(photo(number), "image", claim).digest == photo(number).digest
    assert time.perf_counter() - begin < 6
    records.revoke(photo(8001).digest)
    with pytest.raises(ConsentError, match="revoked"):
        records.require(photo(8001), "image", claim)
    Consents(own).revoke(photo(8002).digest)  # by another process
    with pytest.raises(ConsentError, match="revoked"):
        records.require(photo(8002), "image", claim)
