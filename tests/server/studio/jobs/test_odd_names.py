"""Files that other programs named: what no page can carry takes none away."""

import os
import sys
import time

import pytest

from tests.server.conftest import studio_in
from understudy.jobs.job import JobFailure, Order
from understudy.jobs.store import JobStore
from understudy.provenance import Home

pytestmark = [
    pytest.mark.loopback,
    pytest.mark.slow,
    pytest.mark.skipif(sys.platform != "linux", reason="names are bytes: linux only"),
]


def test_names_that_are_no_text_are_shown_as_far_as_they_are(tmp_path):
    odd = tmp_path / os.fsdecode(b"caf\xe9")
    odd.mkdir()
    target, output = odd / os.fsdecode(b"in\xe9.mp4"), odd / os.fsdecode(b"out\xe9.mp4")
    for path in (target, output):
        path.write_bytes(b"a clip")
    store = JobStore(Home(tmp_path / "home"))
    orders = [Order(target, output, (odd / "me.png",)), Order(target, odd / "other.mp4", (odd / "me.png",))]
    done, _ = store.add([(one, {}) for one in orders])
    with store.runner() as name:
        assert store.end(store.claim(name), "done")
        assert store.end(store.claim(name), "failed", why=JobFailure(f"can't read {target}", "Put it back.", 3))
    with studio_in(tmp_path, "--recordings", str(odd)) as studio:
        cookie = studio.cookie
        place = f"/jobs/results/{done}?save"
        until = time.monotonic() + 60
        while studio.ask(place, Cookie=cookie)[0] == 404 and time.monotonic() < until:
            time.sleep(0.1)  # jobs are looked at a moment after the start
        status, headers, body = studio.ask(place, Cookie=cookie)
        assert (status, body) == (200, b"a clip")
        assert "out%EF%BF%BD.mp4" in headers["content-disposition"]
        for room in ("/jobs", "/", "/clips"):
            status, _, body = studio.ask(room, Cookie=cookie)
            assert (status, b"Internal Server Error" in body) == (200, False), room
    assert "Traceback" not in studio.log.read_text(encoding="utf-8")
