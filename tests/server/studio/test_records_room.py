"""The Records room, in a real browser."""

import datetime as dt
import json
import re
import shutil
import sqlite3

import cv2
import pytest

from tests.server.conftest import Visit, studio_in
from tests.server.studio.test_frame import violations
from understudy.app import Understudy
from understudy.provenance import Consents, Home
from understudy.provenance.records.consent_form import written_form
from understudy.server.studio.records.form import form_page
from understudy.server.texts import LANGUAGES, Texts
from understudy.settings import Settings
from understudy.testing import demo

pytestmark = [pytest.mark.loopback, pytest.mark.slow]


@pytest.fixture(scope="module")
def files(tmp_path_factory):
    """A photo, and a private folder in whose ledger there is a record."""
    folder = tmp_path_factory.mktemp("records")
    (picture,) = demo.sample_pictures(1)
    cv2.imwrite(str(folder / "portrait.png"), picture)
    with Understudy(Settings(home=folder / "home")) as app:
        app.swap(folder / "portrait.png", folder / "swapped.png", app.person(demo.sample_photo(), consent="sample"))
    return folder


@pytest.fixture(scope="module")
def studio(files):
    with studio_in(files) as running:
        yield running


def records(studio):
    return Consents(Home(studio.home)).all()


def ask(page, path):
    page.locator("main input[type=file]").set_input_files(path)
    page.get_by_role("dialog").wait_for()


def test_consent_is_granted_for_a_photo_and_revoked(visit, studio, files):
    page = visit("/records")
    ask(page, files / "portrait.png")
    grant = page.get_by_role("button", name="Record it")
    grant.click()
    page.get_by_role("alert").get_by_text("Choose what is true").wait_for()
    page.get_by_label("The person is 18 or older").check()
    note = page.get_by_label("How did the person agree?")
    note.wait_for()
    for not_said in ("", "\u200b-"):
        note.fill(not_said)
        grant.click()
        page.get_by_role("alert").get_by_text("Write how").wait_for()
    note.fill("signed <b>form</b>")
    page.get_by_role("switch", name="Live").uncheck()
    page.get_by_label("For how long").select_option("30 days")
    grant.click()
    page.get_by_text("Consent for portrait.png was recorded.").wait_for()
    record = records(studio)[-1]
    assert (record.ground, record.note, record.uses) == ("granted", "signed <b>form</b>", ("image", "video"))
    held = dt.datetime.fromisoformat(record.expires) - dt.datetime.fromisoformat(record.given)
    assert held == dt.timedelta(days=30)
    page.get_by_text("signed <b>form</b>").wait_for()
    # The photo itself is nowhere.
    assert list((studio.home / "studio").rglob("*.png")) == []

    page.get_by_role("button", name="Revoke the consent for portrait.png").click()
    dialog = page.get_by_role("dialog")
    assert "removed from this machine" in dialog.inner_text()
    dialog.get_by_role("button", name="Revoke", exact=True).click()
    page.get_by_text("What was learned of that face was removed").wait_for()
    page.get_by_text(re.compile("^revoked on")).wait_for()
    assert records(studio)[-1].state == "revoked"


def test_revoking_reaches_every_record_of_the_photo(visit, studio, files):
    page = visit("/records")
    for _ in range(2):
        ask(page, files / "portrait.png")
        page.get_by_label("This is no real person").check()
        page.get_by_role("button", name="Record it").click()
        page.get_by_role("dialog").wait_for(state="hidden")
    page.wait_for_function("document.querySelectorAll('.tag.valid').length >= 3")
    page.get_by_role("button", name="Revoke the consent for portrait.png").first.click()
    page.get_by_role("dialog").get_by_role("button", name="Revoke", exact=True).click()
    page.get_by_text("What was learned of that face was removed").wait_for()
    assert {record.state for record in records(studio) if record.name == "portrait.png"} == {"revoked"}


def test_who_closes_the_dialog_has_said_nothing(visit, studio, files):
    before = len(records(studio))
    page = visit("/records")
    ask(page, files / "portrait.png")
    picture = page.get_by_role("dialog").get_by_role("img").get_attribute("src")
    page.keyboard.press("Escape")
    page.get_by_role("dialog").wait_for(state="hidden")
    page.wait_for_function(f"fetch({json.dumps(picture)}, {{cache: 'reload'}}).then((answer) => answer.status === 404)")
    assert len(records(studio)) == before


@pytest.mark.parametrize(("name", "data"), [("a.jpg", b"hello"), ("a.png", b""), ("a.txt", b"hello")])
def test_a_wrong_file_is_told_in_the_readers_language(visit, name, data):
    page = visit("/records", locale="zh-CN")
    page.locator("main input[type=file]").set_input_files([{"name": name, "mimeType": "image/png", "buffer": data}])
    page.get_by_role("alert").get_by_text(Texts("zh")("fault.no_photo")).wait_for()


def test_the_ledger_is_listed_verified_and_exported(visit, studio):
    page = visit("/records")
    page.get_by_text("1 in the ledger, none edited or removed").first.wait_for()
    page.get_by_role("button", name="Check the chain").click()
    page.get_by_role("status").get_by_text("none edited or removed").wait_for()
    with page.expect_download() as download:
        page.get_by_role("link", name="Save as a file").click()
    assert re.fullmatch(r"understudy-ledger-\d{4}-\d\d-\d\d\.jsonl", download.value.suggested_filename)
    (line,) = download.value.path().read_text().splitlines()
    assert json.loads(line)["engine"] == "mesh"
    assert studio.ask("/records/ledger.jsonl")[0] == 401


def test_the_form_is_the_command_lines(visit):
    page = visit("/records")
    with page.context.expect_page() as opened:
        page.get_by_role("link", name="Form to print").click()
    form = opened.value
    form.get_by_role("heading", name="Consent to the use of my face").wait_for()
    form.evaluate("window.print = () => { window.printed = true; }")
    form.get_by_role("button", name="Print").click()
    assert form.evaluate("window.printed")
    assert violations(form) == []


def words_of(text):
    return re.findall(r"[a-z]{3,}", text.lower())


@pytest.mark.parametrize("language", LANGUAGES)
def test_the_form_is_there_in_every_language(language):
    today = dt.date(2026, 5, 4)
    page = form_page(Texts(language), today)
    assert "2027-05-04" in page
    assert page.count('class="tick"') == 3
    assert page.count("<li>") == 3
    if language == "en":
        body = re.sub(r"<[^>]+>", " ", page.partition("</button>")[2].partition("</main>")[0]).replace("&#x27;", "'")
        assert words_of(body) == words_of(written_form(today))


@pytest.mark.parametrize(("scheme", "width"), [("light", 1280), ("dark", 820), ("light", 320)])
def test_nothing_stands_in_anybodys_way(visit, files, scheme, width):
    page = visit("/records", color_scheme=scheme, width=width, height=900)
    page.get_by_text("none edited or removed").first.wait_for()
    assert violations(page) == []
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
    ask(page, files / "portrait.png")
    page.get_by_label("The person is 18 or older").check()
    page.get_by_label("How did the person agree?").wait_for()
    assert violations(page) == []


def test_a_ledger_that_was_altered_is_said(browser, files, tmp_path):
    shutil.copytree(files / "home", tmp_path / "home")
    with sqlite3.connect(tmp_path / "home" / "ledger.sqlite") as ledger:
        ledger.execute("UPDATE records SET body = replace(body, 'mesh', 'none')")
    with studio_in(tmp_path) as studio:
        visit = Visit(browser, studio)
        page = visit("/records", locale="ko-KR")
        alert = page.get_by_role("alert").filter(has_text="장부가 바뀌었습니다")
        alert.wait_for()
        assert "record 1 was edited" in alert.inner_text()
        visit.close()
