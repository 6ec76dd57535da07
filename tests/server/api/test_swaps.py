"""Swaps by the API: from a photo and a clip to a labelled file."""

from __future__ import annotations

import json
import re
import time

import av
import pytest
from PIL import Image
from tests.media.files.recordings import recorded_live

from understudy import Settings, Understudy
from understudy.client import Client
from understudy.media.files import open_source
from understudy.server.access.quotas import Quotas
from understudy.testing import ClipSpec, portrait_path, write_clip
from understudy.testing.situations import PEOPLE

pytestmark = [pytest.mark.slow, pytest.mark.loopback]


@pytest.fixture(scope="module")
def clip(small_clip):
    return small_clip


@pytest.fixture(scope="module")
def two_people_clip_path(tmp_path_factory):
    path = tmp_path_factory.mktemp("two") / "clip.mp4"
    situation = next(one for one in PEOPLE if one.name == "two who change sides with each cut")
    shots = [situation.scene(number).draw() for number in (*range(10), *range(40, 50))]
    write_clip(path, [shot.picture for shot in shots], ClipSpec(rate=25, audio=()))
    return path


def test_from_a_photo_and_a_picture_to_a_labelled_file(server, caller, tmp_path):
    person, target = caller.somebody(), caller.hand_over("media", portrait_path("astronaut"))
    assert (target["kind"], target["seconds"]) == ("image", None)
    ordered = caller.post(
        "/swaps", json={"target": target["id"], "person": person, "settings": {"blend.strength": 0.9}}
    )
    assert ordered.status_code == 201, ordered.text
    swap = caller.ended(ordered.json()["id"])
    assert (swap["state"], swap["share"]) == ("done", 1.0)
    made = tmp_path / "made.png"
    made.write_bytes(caller.get(swap["result"].removeprefix("/api/v1")).content)
    with Understudy() as app:
        verdict = app.inspect(made)
    assert verdict.credentials.state == "valid"
    assert f"{verdict.mark.identifier:012x}" == swap["identifier"]
    told = caller.post("/inspect", params={"name": "made.png"}, content=made.read_bytes()).json()
    assert (told["verdict"], told["path"]) == ("made by this tool", "made.png")


def test_of_a_clip_that_is_removed_while_it_is_looked_at_nothing_stays(server, caller, two_people_clip_path):
    path, log = f"/media/{(target := caller.hand_over('media', two_people_clip_path))['id']}", server.log.read_text()
    assert caller.post(f"{path}/people").status_code == 202
    assert caller.delete(path).status_code == 204
    other = caller.hand_over("media", two_people_clip_path)  # whose look begins later, and ends later
    until = time.monotonic() + 60
    while caller.post(f"/media/{other['id']}/people").status_code != 202:
        time.sleep(0.1)
    while caller.get(f"/media/{other['id']}/people").json()["state"] == "looking" and time.monotonic() < until:
        time.sleep(0.1)
    time.sleep(1)
    assert [found.name for found in server.home.rglob(f"{target['id']}*")] == []
    assert "Traceback" not in server.log.read_text()[len(log) :]


def test_a_clip_is_watched_until_it_is_done(caller, clip):
    person, target = caller.somebody(), caller.hand_over("media", clip)
    assert target["kind"] == "video"
    swap = caller.post("/swaps", json={"target": target["id"], "person": person, "format": "mov"}).json()["id"]
    said = []
    with caller.stream("GET", f"/swaps/{swap}/events") as events:
        assert events.headers["content-type"].startswith("text/event-stream")
        said += [json.loads(line.removeprefix("data: ")) for line in events.iter_lines() if line.startswith("data: ")]
    assert said[-1]["state"] == "done"
    shares = [one["share"] for one in said]
    assert shares == sorted(shares)
    whole = caller.get(f"/swaps/{swap}/result")
    part = caller.get(f"/swaps/{swap}/result", headers={"Range": "bytes=100-199"})
    assert (part.status_code, part.content) == (206, whole.content[100:200])
    assert "mov" in whole.headers["content-disposition"]
    alone = caller.head(f"/swaps/{swap}/result")
    assert (alone.status_code, alone.content) == (200, b"")
    assert alone.headers["content-length"] == str(len(whole.content))
    behind = caller.get(f"/swaps/{swap}/result", headers={"Range": f"bytes={len(whole.content)}-"})
    assert (behind.status_code, behind.json()["status"]) == (416, 416)
    assert behind.headers["content-range"] == f"bytes */{len(whole.content)}"
    nonsense = caller.get(f"/swaps/{swap}/result", headers={"Range": "bytes=x-y"})
    assert (nonsense.status_code, set(nonsense.json())) == (400, {"error", "hint", "status"})
    assert caller.head(f"/media/{target['id']}/content", headers={"Range": "bytes=9999999999-"}).status_code == 416


def test_people_of_a_clip_each_get_their_own(caller, two_people_clip_path, tmp_path):
    target = caller.hand_over("media", two_people_clip_path)
    order = {"target": target["id"], "cast": [{"who": 1, "person": caller.somebody()}, {"who": 2, "do": "blur"}]}
    refused = caller.post("/swaps", json=order)
    assert refused.status_code == 422
    assert "people" in refused.json()["hint"]
    assert caller.post(f"/media/{target['id']}/people").status_code == 202
    while (found := caller.get(f"/media/{target['id']}/people").json()).get("state") == "looking":
        time.sleep(0.2)
    assert found.get("state") == "known", found
    assert [one["number"] for one in found["people"]] == [1, 2]
    assert caller.get(f"/media/{target['id']}/people/1.jpg").content[:2] == b"\xff\xd8"
    swap = caller.ended(caller.post("/swaps", json=order).json()["id"])
    assert swap["state"] == "done", swap
    made = tmp_path / "made.mp4"
    made.write_bytes(caller.get(f"/swaps/{swap['id']}/result").content)
    with av.open(made) as file:
        assert file.streams.video[0].frames > 0


def test_what_was_ordered_can_be_paused_given_up_and_removed(server, tmp_path):
    from tests.server.api.conftest import server_in

    with server_in(tmp_path, "--runners", "0") as idle, idle.caller("anna") as anna:
        person, target = anna.somebody(), anna.hand_over("media", portrait_path("astronaut"))
        swap = anna.post("/swaps", json={"target": target["id"], "person": person}).json()["id"]
        assert anna.post(f"/swaps/{swap}/pause").json()["state"] == "paused"
        assert anna.post(f"/swaps/{swap}/resume").json()["state"] == "waiting"
        needed = anna.delete(f"/media/{target['id']}")
        assert needed.status_code == 422
        assert swap in needed.json()["error"]
        assert anna.delete(f"/people/{person}").status_code == 422
        assert anna.get(f"/swaps/{swap}/result").status_code == 422
        assert anna.post(f"/swaps/{swap}/cancel").json()["state"] == "cancelled"
        assert anna.post(f"/swaps/{swap}/retry").json()["state"] == "waiting"
        assert anna.post(f"/swaps/{swap}/cancel").json()["state"] == "cancelled"
        assert anna.delete(f"/media/{target['id']}").status_code == 204
        gone = anna.post(f"/swaps/{swap}/retry")
        assert gone.status_code == 422
        assert target["id"] in gone.json()["error"]
        assert anna.get(f"/swaps/{swap}").json()["state"] == "cancelled"
        assert anna.delete(f"/swaps/{swap}").status_code == 204
        assert anna.get(f"/swaps/{swap}").status_code == 404


def runs(caller, swap):
    """Wait until a swap is being done."""
    while (found := caller.get(f"/swaps/{swap}").json())["state"] == "waiting":
        time.sleep(0.2)
    assert found["state"] == "running", found


def test_a_swap_that_runs_is_stopped_and_then_removed(server, caller, long_clip):
    person, target = caller.somebody(), caller.hand_over("media", long_clip)
    order = {"target": target["id"], "person": person}
    swap = caller.post("/swaps", json=order).json()["id"]
    runs(caller, swap)
    stopping = caller.delete(f"/swaps/{swap}")
    assert stopping.status_code == 409
    assert 0 < int(stopping.headers["retry-after"]) < 10
    said = stopping.json()
    assert "stopped" in said["error"]
    assert "understudy" not in said["error"] + said["hint"]
    while caller.delete(f"/swaps/{swap}").status_code == 409:
        time.sleep(0.2)
    assert caller.get(f"/swaps/{swap}").status_code == 404
    swap = caller.post("/swaps", json=order).json()["id"]
    runs(caller, swap)
    with Client(server.address, caller.headers["Authorization"].removeprefix("Bearer ")) as client:
        client.remove("swaps", swap)
        assert client.swaps() == []
    assert caller.delete(f"/media/{target['id']}").status_code == 204


@pytest.mark.parametrize(
    ("settings", "missing"),
    [
        ({"engine": "inswapper_128"}, "inswapper_128"),
        ({"enhance.steps": ["gfpgan_1.4"]}, "gfpgan_1.4"),
        ({"blend.mask.occluders": ["xseg_1"]}, "xseg_1"),
        ({"lanes": [{"start": 0, "enhance": {"steps": ["real_esrgan_x2"]}}]}, "real_esrgan_x2"),
    ],
)
def test_an_order_whose_model_is_not_here_is_refused_and_nothing_is_counted(caller, clip, settings, missing):
    assert [one["here"] for one in caller.get("/models").json() if one["name"] == missing] == [False]
    person, target = caller.somebody(), caller.hand_over("media", clip)
    refused = caller.post("/swaps", json={"target": target["id"], "person": person, "settings": settings})
    assert refused.status_code == 422
    assert re.search(rf"{missing} (is|are) not here", refused.json()["error"])
    assert "/models" in refused.json()["hint"]
    assert "understudy models" not in refused.json()["hint"]
    assert caller.get("/swaps").json() == []
    assert caller.get("/me").json()["used_today"]["clips"] == 0


def test_why_a_swap_failed_names_the_file_as_its_user_does(caller, blank, tmp_path):
    Image.fromarray(blank).save(tmp_path / "a wall.png")
    person, target = caller.somebody(), caller.hand_over("media", tmp_path / "a wall.png")
    swap = caller.ended(caller.post("/swaps", json={"target": target["id"], "person": person}).json()["id"])
    assert swap["state"] == "failed"
    assert "a wall.png" in swap["error"]
    assert target["id"] not in swap["error"] + swap["hint"]


def test_what_to_do_about_an_order_is_said_in_words_of_the_api(caller, clip):
    person, target = caller.somebody(), caller.hand_over("media", clip)
    order = {"target": target["id"], "person": person}
    wrong = caller.post("/swaps", json=order | {"settings": {"blend.strength": 7}}).json()
    assert wrong["hint"] == "GET /api/v1/settings says what each may be."
    group = caller.post("/swaps", json=order | {"settings": {"trim": {"end": 2.5}}}).json()
    assert "such as 'trim.start'. GET /api/v1/settings" in group["hint"]
    swap = caller.post("/swaps", json=order | {"settings": {"trim.start": 3600}}).json()
    said = caller.ended(swap["id"]) if "id" in swap else swap
    assert clip.name in said["error"]
    assert said["hint"] == "Choose another trim.start or trim.end."
    done = caller.ended(caller.post("/swaps", json=order | {"settings": {"trim.end": 0.2}}).json()["id"])
    again = caller.post(f"/swaps/{done['id']}/cancel").json()
    assert again["error"] == "can't cancel the swap: it is done"


@pytest.mark.parametrize(
    "wrong",
    [
        {"settings": {"home": "/tmp"}},
        {"settings": {"content.threshold": 1}},
        {"settings": {"runtime.device": "cuda"}},
        {"settings": {"label.font": "/etc/passwd"}},
        {"settings": {"blend.strength": 7}},
        {"settings": {"no.such": 1}},
        {"settings": {"engine": "no_such"}},
        {"format": "exe"},
        {"format": "gif"},
        {"target": "../../../etc/passwd"},
        {"target": "0" * 32},
        {"person": "0" * 32},
        {"person": None},
        {"cast": [{"who": 1, "do": "blur"}]},
        {"output": "/tmp/out.png"},
    ],
)
def test_an_order_that_can_not_be_is_refused_and_nothing_is_counted(caller, wrong):
    person, target = caller.somebody(), caller.hand_over("media", portrait_path("astronaut"))
    answer = caller.post("/swaps", json={"target": target["id"], "person": person} | wrong)
    assert answer.status_code in (404, 422), answer.text
    assert answer.json()["error"]
    assert answer.json()["hint"]
    assert caller.get("/swaps").json() == []
    assert caller.get("/me").json()["used_today"]["clips"] == 0


def test_credentials_that_a_format_can_not_hold_are_fetched_beside_it(server, caller, clip, tmp_path):
    person, target = caller.somebody(), caller.hand_over("media", clip, name="gläss 😀.mp4")
    order = {"target": target["id"], "person": person, "format": "webm", "settings": {"trim.end": 0.5}}
    swap = caller.ended(caller.post("/swaps", json=order).json()["id"])
    assert swap["state"] == "done", swap
    assert any("gläss 😀-swapped.webm.c2pa" in one for one in swap["notes"])
    secret = caller.headers["Authorization"].removeprefix("Bearer ")
    with Client(server.address, secret) as client:
        client.fetch(swap["id"], tmp_path / "made.webm")
        client.fetch_credentials(swap["id"], tmp_path / "made.webm.c2pa")
    with Understudy(Settings(home=tmp_path / "other")) as app:  # which has no ledger
        assert app.inspect(tmp_path / "made.webm").credentials.state == "valid"
    still = caller.ended(caller.post("/swaps", json={k: order[k] for k in ("target", "person")}).json()["id"])
    assert caller.get(f"/swaps/{still['id']}/credentials").status_code == 422


def test_what_is_kept_counts_when_a_swap_is_ordered(server):
    with server.caller("fritz", name="more") as more:
        person, target = more.somebody(), more.hand_over("media", portrait_path("astronaut"))
    with server.caller("fritz", quotas=Quotas(bytes=1), name="less") as less:
        refused = less.post("/swaps", json={"target": target["id"], "person": person})
        assert refused.status_code == 429
        assert "Remove some" in refused.json()["hint"]


def test_of_a_clip_only_the_part_that_is_swapped_counts(server, clip):
    with server.caller("gert") as gert:
        person, target = gert.somebody(), gert.hand_over("media", clip)
        order = {"target": target["id"], "person": person, "settings": {"trim.start": 0.1, "trim.end": 0.4}}
        assert gert.post("/swaps", json=order).status_code == 201
        assert gert.get("/me").json()["used_today"]["minutes"] == pytest.approx(0.3 / 60, abs=1e-4)


def test_a_clip_that_does_not_say_how_long_it_is_counts_as_long_as_it_is(server, clip, tmp_path):
    recorded = recorded_live(tmp_path / "recorded.mkv", clip)
    with server.caller("nora", quotas=Quotas(minutes=1.5 / 60)) as nora:
        person, target = nora.somebody(), nora.hand_over("media", recorded)
        assert target["seconds"] == pytest.approx(nora.hand_over("media", clip)["seconds"], abs=0.05)
        order = {"target": target["id"], "person": person}
        assert [nora.post("/swaps", json=order).status_code for _ in range(2)] == [201, 429]


def test_a_clip_whose_head_says_a_shorter_time_counts_as_long_as_it_is(server, clip, tmp_path):
    content = bytearray(clip.read_bytes())
    for version in (one.end() for one in re.finditer(b"mdhd", content)):  # then flags, two dates, the unit, the length
        assert content[version] == 0
        content[version + 16 : version + 20] = (1).to_bytes(4, "big")
    short = tmp_path / "short.mp4"
    short.write_bytes(content)
    with open_source(short) as source:
        assert source.info.duration < 0.01
    with server.caller("lena") as lena:
        as_it_is = lena.hand_over("media", clip)["seconds"]
        assert lena.hand_over("media", short)["seconds"] == pytest.approx(as_it_is, abs=0.05)


def test_who_has_used_up_the_day_is_told_when_to_come_back(server):
    with server.caller("ben", quotas=Quotas(clips=1)) as ben:
        person, target = ben.somebody(), ben.hand_over("media", portrait_path("astronaut"))
        order = {"target": target["id"], "person": person}
        assert ben.post("/swaps", json=order).status_code == 201
        refused = ben.post("/swaps", json=order)
        assert refused.status_code == 429
        assert 0 < int(refused.headers["retry-after"]) <= 86400
