"""Who may ask the API, that users' things are kept apart, and that nothing of a secret is written anywhere."""

from __future__ import annotations

import contextlib
import json
import socket
import sqlite3
import time
from urllib.parse import urlsplit

import httpx
import pytest
from cryptography.hazmat.primitives import serialization
from tests.provenance.certificates import certificate
from tests.server.api.conftest import server_in

from understudy.cli.main import main
from understudy.cli.serve import names_of
from understudy.provenance import Consents, Home
from understudy.server.access.audit import AuditLog, entry
from understudy.server.access.quotas import Quotas
from understudy.server.access.tokens import SCOPES, Tokens
from understudy.testing import portrait_path

pytestmark = [pytest.mark.slow, pytest.mark.loopback]

PLACES = [
    ("GET", "/me"), ("GET", "/photos"), ("POST", "/photos?name=a.jpg"), ("GET", "/people"), ("POST", "/people"),
    ("GET", "/media"), ("POST", "/media?name=a.mp4"), ("GET", "/swaps"), ("POST", "/swaps"), ("GET", "/models"),
    ("GET", "/settings"), ("POST", "/inspect?name=a.png"), ("GET", f"/swaps/{'0' * 32}/events"),
    ("GET", "/live"), ("POST", "/live/sessions"), ("POST", f"/live/whip?person={'0' * 32}"),
    ("GET", f"/live/{'0' * 32}"),
    ("DELETE", f"/live/{'0' * 32}"), ("POST", f"/live/{'0' * 32}/whip"), ("POST", f"/live/{'0' * 32}/whep"),
    ("POST", f"/live/{'0' * 32}/keys"), ("POST", f"/live/{'0' * 32}/cover"),
]  # fmt: skip


@pytest.mark.parametrize(("method", "place"), PLACES)
@pytest.mark.parametrize("header", [None, "Bearer x", "Basic dTpw", "Bearer understudy_000000000000_" + "A" * 43])
def test_without_a_good_token_there_is_nothing(server, method, place, header):
    headers = {} if header is None else {"Authorization": header}
    answer = httpx.request(method, f"{server.address}/api/v1{place}", headers=headers, content=b"{}")
    assert answer.status_code == 401
    assert answer.headers["www-authenticate"] == "Bearer"
    assert set(answer.json()) == {"error", "hint", "status"}


@pytest.mark.parametrize(
    ("method", "place", "scope"),
    [
        ("POST", "/photos?name=a.jpg", "people"),
        ("POST", "/people", "people"),
        ("GET", "/media", "media"),
        ("GET", "/swaps", "swaps"),
        ("POST", "/inspect?name=a.png", "inspect"),
        ("GET", "/live", "live"),
        ("POST", f"/live/whip?person={'0' * 32}", "live"),
    ],
)
def test_a_token_opens_only_what_it_is_for(server, method, place, scope):
    body = {"photos": ["0" * 32], "consent": {"ground": "self"}} if place == "/people" else {}
    with server.caller("carl", *(one for one in SCOPES if one != scope)) as carl:
        answer = carl.request(method, place, json=body)
        assert answer.status_code == 403, answer.text
        assert scope in answer.json()["error"]
    with server.caller("carl", scope) as carl:
        assert carl.request(method, place, json=body).status_code in (200, 201, 404, 415, 422)


def test_nobody_reaches_anothers_things(server):
    with server.caller("anna") as anna, server.caller("eve") as eve:
        person, photo = anna.somebody(), anna.get("/photos").json()[0]["id"]
        media = anna.hand_over("media", portrait_path("astronaut"))["id"]
        swap = anna.post("/swaps", json={"target": media, "person": person}).json()["id"]
        for place in (f"/media/{media}", f"/media/{media}/content", f"/swaps/{swap}", f"/swaps/{swap}/result"):
            assert eve.get(place).status_code == 404, place
        for place in (f"/photos/{photo}", f"/people/{person}", f"/media/{media}", f"/swaps/{swap}"):
            assert eve.delete(place).status_code == 404, place
        for what in ("pause", "resume", "cancel", "retry"):
            assert eve.post(f"/swaps/{swap}/{what}").status_code == 404
        own = eve.hand_over("media", portrait_path("astronaut"))["id"]
        assert eve.post("/swaps", json={"target": own, "person": person}).status_code == 404
        assert eve.post("/swaps", json={"target": media, "person": eve.somebody()}).status_code == 404
        assert eve.post("/people", json={"photos": [photo], "consent": {"ground": "self"}}).status_code == 404
        assert eve.get("/swaps").json() == []
        assert anna.ended(swap)["state"] == "done"


def test_a_photo_needs_its_consent(caller):
    photo = caller.hand_over("photos", portrait_path("hopper"))["id"]
    assert caller.post("/people", json={"photos": [photo]}).status_code == 422
    bare = caller.post("/people", json={"photos": [photo], "consent": {"ground": "granted"}})
    assert bare.status_code in (403, 422)
    assert "note" in bare.json()["error"] + bare.json()["hint"]


def test_a_removed_photo_takes_its_person_and_its_consent_along(server):
    with server.caller("dora") as dora:
        person = dora.somebody("astronaut")
        photo = dora.get("/photos").json()[0]
        assert dora.delete(f"/photos/{photo['id']}").status_code == 204
        assert dora.get("/people").json() == []
        assert dora.delete(f"/people/{person}").status_code == 404
    states = [one.state for one in Consents(Home(server.home)).all() if one.name.startswith(photo["id"])]
    assert states == ["expired"]


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        ({"Host": "evil.example"}, 421),
        ({"Host": "127.0.0.1"}, 421),
        ({"Origin": "null"}, 403),
        ({"Origin": "http://evil.example"}, 403),
        ({"Origin": "http://127.0.0.1:1"}, 403),
    ],
)
def test_other_hosts_and_pages_are_refused(server, caller, headers, status):
    answer = caller.get("/me", headers=headers)
    assert answer.status_code == status
    assert "access-control-allow-origin" not in answer.headers


def test_every_answer_has_its_headers(server, caller):
    for answer in (caller.get("/me"), httpx.get(f"{server.address}/docs"), httpx.get(f"{server.address}/nowhere")):
        assert answer.headers["x-content-type-options"] == "nosniff"
        assert answer.headers["x-frame-options"] == "DENY"
        assert answer.headers["referrer-policy"] == "no-referrer"
        assert "frame-ancestors 'none'" in answer.headers["content-security-policy"]
        assert answer.headers["cache-control"] == "no-store"
        assert "server" not in answer.headers


def test_secrets_are_in_no_file_and_paths_in_no_answer(server):
    tokens = Tokens(Home(server.home))
    _, secret = tokens.add(f"spy-{time.time_ns()}", "spy", list(SCOPES), 1)
    headers = {"Authorization": f"Bearer {secret}"}
    for place in ("/me", f"/me?token={secret}", f"/media/{secret}", "/photos"):
        httpx.get(f"{server.address}/api/v1{place}", headers=headers)
    broken = httpx.post(f"{server.address}/api/v1/media?name=a.mp4", headers=headers, content=b"no clip", timeout=60)
    assert broken.status_code == 422
    assert str(server.home) not in broken.text
    assert broken.json()["error"].startswith("a.mp4 ")
    part = secret.split("_", 2)[2].encode()
    for path in [*server.home.rglob("*"), server.log]:
        if path.is_file():
            assert part not in path.read_bytes(), path


def test_what_is_wrong_on_the_server_names_no_place_of_it(server):
    with server.caller("clara") as clara:
        person, target = clara.somebody(), clara.hand_over("media", portrait_path("astronaut"))
        for path in (server.home / "server" / "things").glob(f"{clara.get('/photos').json()[0]['id']}.*"):
            path.unlink()
        refused = clara.post("/swaps", json={"target": target["id"], "person": person})
        assert refused.status_code == 422
        assert "does not exist" in refused.text
        assert str(server.home) not in refused.text


def test_what_something_was_made_of_is_told_to_whoever_ordered_it_only(server):
    with server.caller("dora") as dora, server.caller("emil") as emil:
        order = {"target": dora.hand_over("media", portrait_path("astronaut"))["id"], "person": dora.somebody()}
        swap = dora.ended(dora.post("/swaps", json=order).json()["id"])
        made = dora.get(swap["result"].removeprefix("/api/v1")).content
        hers, his = (one.post("/inspect", params={"name": "made.png"}, content=made).json() for one in (dora, emil))
    assert hers["verdict"] == his["verdict"] == "made by this tool"
    assert hers["record"]["identifier"] == his["record"]["identifier"] == swap["identifier"]
    assert all(hers["record"][name] for name in ("sources", "target", "consents"))
    assert not any(his["record"][name] for name in ("sources", "target", "consents", "hashes"))


def test_a_server_is_asked_at_the_names_that_it_has(tmp_path, capsys):
    assert names_of(["127.0.0.1", "[::1]"], 8770, "http") == ["127.0.0.1:8770", "[::1]:8770"]
    assert names_of(["Here"], 80, "http") == ["here:80", "here"]
    assert names_of(["here"], 80, "https") == ["here:80"]
    assert names_of(["here"], 443, "https") == ["here:443", "here"]
    for name in ("https://swaps.example.org", "", "*", "a b", "::1"):
        assert main(["serve", "--name", name, "--home", str(tmp_path)]) == 2
        assert "--name swaps.example.org" in capsys.readouterr().err


def test_behind_who_ends_tls_pages_of_that_name_may_ask(tmp_path):
    with server_in(tmp_path, "--name", "Swaps.example.org", "--host", "::1") as server:
        assert server.address.startswith("http://[::1]:")
        with server.caller("anna") as anna:
            for host, origin, status in (
                ("swaps.example.org", "https://swaps.example.org", 200),
                ("SWAPS.EXAMPLE.ORG", "https://swaps.example.org", 200),
                ("swaps.example.org", "https://evil.example", 403),
                ("swaps.example.org:1", "https://swaps.example.org", 421),
            ):
                assert anna.get("/me", headers={"Host": host, "Origin": origin}).status_code == status


@pytest.mark.parametrize(("method", "place"), [("GET", "/me/"), ("POST", "/swaps/"), ("POST", "/media/?name=a.mp4")])
def test_a_slash_too_many_leads_nowhere(caller, method, place):
    """Behind who ends TLS it would lead to http://, and the token would be sent in the clear."""
    answer = caller.request(method, place, json={})
    assert (answer.status_code, answer.is_redirect) == (404, False)
    assert set(answer.json()) == {"error", "hint", "status"}


def test_what_was_done_is_in_the_audit_log(server):
    with server.caller("fred", name="freds-editor") as fred:
        fred.hand_over("photos", portrait_path("hopper"))
        fred.get("/swaps")
        fred.get("/swaps", headers={"Host": "evil.example"})
    log = AuditLog(Home(server.home))
    own = [one for one in log.entries() if one.user == "fred"]
    assert [(one.action, one.outcome) for one in own] == [("POST /photos", "201")]
    assert own[0].token == "freds-editor"
    assert own[0].address == "127.0.0.1"
    assert len(own[0].digests[0]) == 64
    assert log.verify().intact
    assert any(one.outcome in ("401", "421") and not one.user for one in log.entries())


@pytest.mark.slow
def test_a_server_says_at_its_start_that_its_audit_log_was_tampered_with(tmp_path):
    log = AuditLog(Home(tmp_path / "home"))
    for _ in range(4):
        log.note(entry("", "", "", "GET", 200))
    with contextlib.closing(sqlite3.connect(tmp_path / "home" / "audit-log.sqlite", isolation_level=None)) as database:
        database.execute("DELETE FROM records WHERE number = 2")
    with server_in(tmp_path) as running:
        assert "the audit log was tampered with" in running.log.read_text()


def test_strangers_do_not_fill_the_audit_log(server):
    before = len(list(AuditLog(Home(server.home)).entries()))
    with httpx.Client() as stranger:
        for _ in range(80):
            assert stranger.get(f"{server.address}/api/v1/me").status_code == 401
    assert len(list(AuditLog(Home(server.home)).entries())) - before <= 60


def test_whoever_asks_too_often_is_told_when_to_come_back(server):
    with server.caller("gus", quotas=Quotas(requests=60)) as gus:
        answers = [gus.get("/me") for _ in range(15)]
    assert [one.status_code for one in answers[:10]] == [200] * 10
    assert answers[-1].status_code == 429
    assert int(answers[-1].headers["retry-after"]) >= 1


def test_a_revoked_token_is_out_within_a_second(server):
    with server.caller("hal", name="hals") as hal:
        assert hal.get("/me").status_code == 200
        Tokens(Home(server.home)).revoke("hals")
        time.sleep(1.1)
        assert hal.get("/me").status_code == 401


def test_large_bodies_are_cut_off(server, caller):
    assert caller.post("/people", content=b"[" * 2_000_000).status_code == 413
    line = socket.create_connection(("127.0.0.1", urlsplit(server.address).port), timeout=60)
    token = caller.headers["Authorization"]
    host = urlsplit(server.address).netloc
    head = f"POST /api/v1/photos?name=a.jpg HTTP/1.1\r\nHost: {host}\r\nAuthorization: {token}\r\n"
    line.sendall(f"{head}Content-Length: 10000000000\r\n\r\n".encode())
    piece, answer = b"\xff" * 1_000_000, b""
    with contextlib.suppress(OSError):  # it hangs up while we are sending
        for _ in range(100):
            line.sendall(piece)
    with contextlib.suppress(OSError):
        answer = line.recv(4096)
    line.close()
    assert not answer or b" 413 " in answer.split(b"\r\n")[0]
    assert caller.get("/photos").json() == []
    assert [path for path in (server.home / "server" / "things").iterdir() if path.stat().st_size > 60_000_000] == []


@pytest.mark.parametrize(
    "name", ["../../x.jpg", "..\\..\\x.jpg", "/etc/x.jpg", "<script>alert(1)</script>.jpg", "\u202egpj.jpg"]
)
def test_what_a_file_is_called_names_no_place(server, caller, name):
    photo = caller.hand_over("photos", portrait_path("hopper"), name)
    assert "/" not in photo["name"]
    assert "\\" not in photo["name"]
    assert "\u202e" not in photo["name"]
    assert [
        path.name[:32] for path in (server.home / "server" / "things").iterdir() if path.name.startswith(photo["id"])
    ]


@pytest.mark.parametrize(
    "body", [b"", b"\0", b"{", b"[]", b'{"a": NaN}', b"[" * 100_000, b"\xff\xfe", b'"' + b"a" * 900_000]
)
def test_bodies_that_are_no_json_are_told(caller, body):
    for place in ("/people", "/swaps"):
        answer = caller.post(place, content=body, headers={"Content-Type": "application/json"})
        assert answer.status_code == 422, answer.text
        assert json.loads(answer.text)["hint"]


def test_elsewhere_needs_tls_or_a_plain_word(tmp_path, capsys):
    home = ["--home", str(tmp_path)]
    assert main(["serve", "--host", "0.0.0.0", *home]) == 2
    assert "--insecure" in capsys.readouterr().err
    assert main(["serve", "--cert", "a.pem", *home]) == 2
    assert (
        main(["serve", "--cert", str(tmp_path / "a.pem"), "--key", str(tmp_path / "b.pem"), "--port", "0", *home]) == 2
    )
    assert main(["serve", "--retention", "0", *home]) == 2


def test_a_certificate_that_can_not_be_used_is_said_before_an_address_is(tmp_path, capsys):
    chain, key = certificate(tmp_path / "plain")
    locked, private = tmp_path / "locked.pem", serialization.load_pem_private_key(key.read_bytes(), None)
    pem = serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8
    locked.write_bytes(private.private_bytes(*pem, serialization.BestAvailableEncryption(b"secret")))
    start = ["serve", "--port", "0", "--home", str(tmp_path / "home"), "--json"]
    for pair, said in (
        ((chain, locked), "has a passphrase"),
        ((chain, certificate(tmp_path / "other")[1]), "can't be used"),
        ((key, chain), "can't be used"),
        ((tmp_path / "no.pem", key), "can't be used"),
    ):
        assert main([*start, "--cert", str(pair[0]), "--key", str(pair[1])]) == 2
        told = capsys.readouterr()
        assert said in told.err
        assert "address" not in told.out
