"""Clocks that are wrong: keys and consents outlive them."""

from __future__ import annotations

import datetime as dt
import shutil

import pytest
from PIL import Image

from tests.provenance.certificates import certificate
from understudy.errors import ClockError, SigningError
from understudy.provenance.credentials import read_credentials
from understudy.provenance.records.keys import SigningOptions, open_signing_key, own_root
from understudy.provenance.signing import Work, sign_file


def at(year):
    return dt.datetime(year, 1, 3, 12, tzinfo=dt.timezone.utc)


def files(own):
    return {path: path.read_bytes() for path in (own.root / "keys").rglob("*") if path.is_file()}


@pytest.mark.parametrize("year", [1970, 2000, 2038, 2262, 9000, 9999])
def test_a_wrong_clock_neither_stops_the_work_nor_touches_a_key(own, year):
    first = open_signing_key(own, SigningOptions())
    before = files(own)
    other = open_signing_key(own, SigningOptions(), at(year))
    assert other.chain != first.chain
    assert open_signing_key(own, SigningOptions(), at(year)) == other  # made once, not with every start
    assert before.items() <= files(own).items()
    assert open_signing_key(own, SigningOptions()) == first


@pytest.mark.slow
def test_a_certificate_of_a_wrong_clock_is_followed_by_one_that_is_valid(own, make, tmp_path):
    open_signing_key(own, SigningOptions(), at(2060))
    output = make()
    found = read_credentials(output, own_root(own))
    assert (found.state, found.own) == ("valid", True)


@pytest.mark.slow
def test_what_any_own_key_has_signed_is_known_as_own(own, make, tmp_path):
    first = make("first.png")
    kept = shutil.copytree(own.root / "keys", tmp_path / "kept")
    open_signing_key(own, SigningOptions(), at(2060))
    shutil.move(own.root / "keys", tmp_path / "aside")
    second = make("second.png")
    shutil.copytree(kept, own.root / "keys" / "renewed-00000000")
    for output in (first, second):
        assert read_credentials(output, own_root(own)).own


def test_a_clock_that_was_set_back_since_the_key_was_opened_is_named(own, hopper_path, tmp_path):
    key = open_signing_key(own, SigningOptions(), at(2060))
    draft, work = tmp_path / "draft.png", Work(1, ("mesh",), (), "compositeSynthetic", None, "", ("0" * 64,))
    Image.open(hopper_path).save(draft)
    before = draft.read_bytes()
    today = dt.datetime.now(dt.timezone.utc)
    with pytest.raises(ClockError, match=f"shows {today:%Y-%m}") as refused:
        sign_file(draft, tmp_path / "out.png", work, key)
    assert "before its signing certificate became valid" in refused.value.message
    assert "Set it right" in refused.value.hint
    assert draft.read_bytes() == before


@pytest.mark.parametrize(("year", "hint"), [(1970, "Set the clock"), (2050, "if the clock is right")])
def test_of_ones_own_certificate_it_is_said_what_the_clock_says(own, tmp_path, year, hint):
    options = SigningOptions(*certificate(tmp_path / "studio"))
    with pytest.raises(SigningError, match=f"clock says {year}-01-03") as refused:
        open_signing_key(own, options, at(year))
    assert hint in refused.value.hint
    assert "remove" not in refused.value.hint.lower()


def test_what_was_signed_is_known_by_its_certificate_when_the_key_is_gone(own):
    open_signing_key(own, SigningOptions())
    known = own_root(own)
    (own.root / "keys" / "signing.key").unlink()
    assert own_root(own) == known
    (own.root / "keys" / "signing.pem").unlink()
    with pytest.raises(SigningError, match="incomplete"):
        own_root(own)


def test_no_message_about_keys_says_to_remove_them(own):
    open_signing_key(own, SigningOptions())
    for name in ("signing.key", "signing.pem"):
        kept = (own.root / "keys" / name).read_bytes()
        (own.root / "keys" / name).unlink()
        with pytest.raises(SigningError, match="incomplete") as refused:
            open_signing_key(own, SigningOptions())
        assert "remove" not in refused.value.hint.lower()
        (own.root / "keys" / name).write_bytes(kept)
        (own.root / "keys" / name).chmod(0o600)
