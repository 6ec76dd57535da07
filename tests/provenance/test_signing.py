"""Whose key signs, and that nothing is released where it can not."""

from __future__ import annotations

import contextlib
import os
import shutil
import subprocess
import sys
import time

import pytest
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec

import understudy
from tests.provenance.certificates import certificate
from understudy.errors import (
    PrivacyError,
    SigningError,
    UsageError,
)
from understudy.provenance import Ledger, SigningOptions
from understudy.provenance.credentials import read_credentials

posix = pytest.mark.skipif(os.name != "posix", reason="file modes")


@pytest.mark.slow
def test_ones_own_certificate_signs(make, own, tmp_path):
    output = make(signing=SigningOptions(*certificate(tmp_path / "studio")))
    found = read_credentials(output, None)
    assert (found.state, found.own) == ("valid", False)
    assert "Studio" in found.signer
    elsewhere = understudy.inspect(output, home=tmp_path / "nobody")
    assert elsewhere.verdict == "made by this tool"
    assert any("not on a trust list" in reason for reason in elsewhere.reasons)
    assert not (tmp_path / "nobody").exists()  # looking leaves nothing behind


@pytest.mark.slow
def test_a_function_signs(make, tmp_path):
    chain, key_file = certificate(tmp_path / "studio")
    key = serialization.load_pem_private_key(key_file.read_bytes(), None)
    asked = []

    def sign(data):
        from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature

        asked.append(len(data))
        r, s = decode_dss_signature(key.sign(data, ec.ECDSA(hashes.SHA256())))
        return r.to_bytes(32, "big") + s.to_bytes(32, "big")

    output = make(signing=SigningOptions(chain, sign=sign))
    assert asked
    assert read_credentials(output, None).state == "valid"


@pytest.mark.parametrize("wrong", ["expired", "not yet", "other key", "no key", "no certificate", "missing", "failing"])
def test_what_can_not_be_signed_is_not_released(make, tmp_path, wrong):
    chain, key = certificate(tmp_path / "studio")
    options = None
    if wrong == "expired":
        chain, key = certificate(tmp_path / "old", begin=-30, days=-1)
    elif wrong == "not yet":
        chain, key = certificate(tmp_path / "new", begin=5)
    elif wrong == "other key":
        _, key = certificate(tmp_path / "other")
    elif wrong == "no key":
        key.write_text("not a key")
    elif wrong == "no certificate":
        chain.write_text("not a certificate")
    elif wrong == "missing":
        key.unlink()
    else:

        def refuse(data):
            raise OSError("the token was pulled out")

        options = SigningOptions(chain, sign=refuse)
    before = sorted(path.name for path in tmp_path.iterdir())
    with pytest.raises((SigningError, UsageError)):
        make(signing=options or SigningOptions(chain, key))
    assert sorted(path.name for path in tmp_path.iterdir() if path.name != "home") == before


@pytest.mark.slow
@posix
def test_a_key_that_others_can_read_is_refused(make, own, tmp_path):
    chain, key = certificate(tmp_path / "studio")
    key.chmod(0o644)
    with pytest.raises(PrivacyError, match="open to others"):
        make(signing=SigningOptions(chain, key))
    make()
    (own.root / "keys" / "signing.key").chmod(0o640)
    with pytest.raises(PrivacyError, match="open to others"):
        make("second.png")
    (own.root / "keys" / "signing.key").unlink()
    with pytest.raises(SigningError, match="incomplete"):
        make("second.png")
    assert not (tmp_path / "second.png").exists()


@pytest.mark.skipif(shutil.which("unshare") is None, reason="needs a file system of its own")
@pytest.mark.parametrize("name", ["out.png", "out.mkv"])
@pytest.mark.slow
def test_a_full_disk_while_signing_leaves_nothing_under_the_name(
    make, own, hopper_path, astronaut_path, small_clip, tmp_path, name
):
    """A real one: room for the output, none for its signed copy."""
    target = astronaut_path if name.endswith("png") else small_clip
    make(name, target)
    disk = tmp_path / "disk"
    disk.mkdir()
    room = (tmp_path / name).stat().st_size * 3 // 2
    words = f"-m understudy swap -s {hopper_path} -t {target} -o {disk / name} --home {own.root}"
    script = (
        f"mount -t tmpfs -o size={room} tmpfs {disk} || exit 77; {sys.executable} {words}; "
        f"code=$?; ls -A {disk}; exit $code"
    )
    done = subprocess.run(["unshare", "-rm", "sh", "-c", script], capture_output=True, text=True, check=False)
    if done.returncode == 77 or "unshare" in done.stderr:
        pytest.skip("no file system of its own here")
    assert done.returncode == 6, done.stderr
    assert "no space left on the disk" in done.stderr
    assert done.stdout == ""
    assert len(list(Ledger(own).records())) == 1


@pytest.mark.slow
def test_credentials_that_expired_later_are_not_called_altered(make, own, tmp_path):
    for seconds in (3, 10):  # on a busy machine a picture may not be signed by then
        over = time.monotonic() + seconds + 1  # a certificate holds to the end of its last whole second
        with contextlib.suppress(SigningError):
            output = make(signing=SigningOptions(*certificate(tmp_path / f"{seconds}", days=seconds / 86400)))
            if read_credentials(output, None).state == "valid":
                break
    assert read_credentials(output, None).state == "valid"
    time.sleep(max(over - time.monotonic(), 0))
    found = understudy.inspect(output, home=own.root)
    assert found.credentials.state == "lapsed"
    assert any("certificate does not hold" in reason for reason in found.reasons)
    assert found.verdict == "made by this tool"  # the ledger knows this very file
    output.write_bytes(output.read_bytes()[:-60] + bytes(60))
    assert understudy.inspect(output, home=own.root).credentials.state in ("altered", "unreadable")


@pytest.mark.parametrize("broken", ["order", "stranger"])
def test_certificates_that_are_no_chain_are_refused_at_once(make, tmp_path, broken):
    chain, key = certificate(tmp_path / "studio")
    parts = chain.read_bytes().split(b"-----BEGIN")
    others = certificate(tmp_path / "other")[0].read_bytes().split(b"-----BEGIN")
    order = {"order": [parts[2], parts[1]], "stranger": [parts[1], others[2]]}[broken]
    chain.write_bytes(b"".join(b"-----BEGIN" + part for part in order))
    with pytest.raises(SigningError, match=r"not a chain|not the certificate"):
        make(signing=SigningOptions(chain, key))
    assert not (tmp_path / "out.png").exists()


SIGN = """
import re, sys
from pathlib import Path
from understudy.provenance import SigningOptions
from understudy.provenance.records.home import Home
from understudy.provenance.records.keys import open_signing_key
from understudy.provenance.signing import Work, sign_file
home, draft, final = map(Path, sys.argv[1:])
work = Work(1, ("mesh",), (), "compositeSynthetic", None, "", ("0" * 64,))
key = open_signing_key(Home(home), SigningOptions())
held = lambda: int(re.search(r"VmHWM:\\s*(\\d+)", Path("/proc/self/status").read_text())[1]) // 1000
before = held()
sign_file(draft, final, work, key)
print(held() - before)
"""


@pytest.mark.slow
@pytest.mark.skipif(sys.platform != "linux", reason="memory is counted otherwise")
def test_signing_a_long_file_holds_it_once_at_most(own, tmp_path):
    """It was held three times: 500 MB took more than a gigabyte and a half."""
    draft = tmp_path / "draft.mkv"
    with draft.open("wb") as file:
        file.truncate(200_000_000)
    words = [sys.executable, "-c", SIGN, str(own.root), str(draft), str(tmp_path / "out.mkv")]
    done = subprocess.run(words, capture_output=True, text=True, check=True, timeout=300)
    assert int(done.stdout) < 300


@pytest.mark.slow
@pytest.mark.skipif(shutil.which("unshare") is None, reason="needs a file system of its own")
def test_where_the_folder_for_temporary_files_is_full_that_folder_is_named(own, tmp_path):
    draft, small = tmp_path / "draft.mkv", tmp_path / "small"
    small.mkdir()
    with draft.open("wb") as file:
        file.truncate(100_000_000)
    sign = f"{sys.executable} -c '{SIGN}' {own.root} {draft} {tmp_path / 'out.mkv'}"
    script = f"mount -t tmpfs -o size=4m tmpfs {small} || exit 77; TMPDIR={small} {sign}"
    done = subprocess.run(["unshare", "-rm", "sh", "-c", script], capture_output=True, text=True, check=False)
    if done.returncode == 77 or "unshare" in done.stderr:
        pytest.skip("needs a file system of its own")
    assert f"NoSpaceError: no space left on the disk of {small}" in done.stderr
    assert draft.stat().st_size == 100_000_000
