"""The frame around the rooms, in a real browser."""

import pytest
from axe_playwright_python.sync_playwright import Axe

from tests.server.conftest import CHROMIUM, Visit, studio_in

pytestmark = [pytest.mark.loopback, pytest.mark.slow]

#: WCAG 2.2, levels A and AA.
RULES = {"runOnly": ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]}


#: What fades in has little contrast until it is there.
SETTLED = """() => Promise.allSettled(document.getAnimations()
    .filter((one) => one.effect.getComputedTiming().iterations !== Infinity).map((one) => one.finished))"""


def violations(page):
    """What axe-core finds against WCAG 2.2 AA, as lines."""
    page.evaluate(SETTLED)
    found = Axe().run(page, options=RULES).response["violations"]
    return [f"{one['id']}: {node['target']} {node['failureSummary']}" for one in found for node in one["nodes"]]


def test_the_token_leaves_the_address(visit, studio):
    page = visit()
    assert page.url == studio.origin + "/"
    assert page.evaluate("document.referrer") == ""
    assert page.evaluate("document.cookie") == ""


def test_nothing_comes_from_elsewhere(visit, studio):
    visit().get_by_role("heading", level=1).wait_for(state="attached")
    hosts = (f"http://127.0.0.1:{studio.port}/", f"ws://127.0.0.1:{studio.port}/", "data:", "blob:")
    assert len(visit.asked) > 5
    assert [url for url in visit.asked if not url.startswith(hosts)] == []


def test_a_page_without_the_key_says_where_the_key_is(browser, studio):
    page = browser.new_page()
    page.goto(studio.origin)
    assert "understudy studio" in page.inner_text("body")
    page.close()


#: Links to rooms that can't be seen in whole.
OUT_OF_SIGHT = """[...document.querySelectorAll("nav a")].filter((one) => {
    const box = one.getBoundingClientRect();
    return !(box.left >= 0 && box.right <= innerWidth && one === document.elementFromPoint(box.left + 6, box.top + 12));
}).map((one) => one.textContent)"""


def test_all_rooms_are_in_sight_however_narrow_the_window(visit):
    page = visit()
    page.get_by_role("link", name="Clips").click()
    page.get_by_role("button", name="Open the sample clip").click()
    page.locator(".timeline-doubt").wait_for()
    for room in ("Clips", "Live"):
        page.get_by_role("link", name=room).click()
        for width in (320, 375, 640, 761, 1000):
            page.set_viewport_size({"width": width, "height": 700})
            assert page.evaluate(OUT_OF_SIGHT) == []
            assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")


@pytest.mark.parametrize(("locale", "language", "said"), [("zh-CN", "zh-Hans", "语言"), ("ko-KR", "ko", "언어")])
def test_it_speaks_the_browsers_language(visit, locale, language, said):
    page = visit(locale=locale)
    assert page.evaluate("document.documentElement.lang") == language
    page.get_by_label(said, exact=True).wait_for()


def test_the_keyboard_stays_on_a_button_that_could_not_be_pressed_for_a_while(visit):
    page = visit()
    page.get_by_role("button", name="Eileen Collins").wait_for()
    page.locator(".button.start").focus()
    page.keyboard.press("Enter")
    page.locator(".button.start:enabled:focus", has_text="Stop").wait_for()
    page.keyboard.press("Enter")
    page.get_by_text("Ready when you are").wait_for()
    page.locator(".button.start:enabled:focus", has_text="Start").wait_for()


def test_the_keyboard_stays_near_what_is_gone_and_on_nothing_that_a_second_press_would_hit(visit, tmp_path):
    page = visit("/check")
    for name in ("one.txt", "two.txt"):
        (tmp_path / name).write_text("x")
    page.locator("main input[type=file]").set_input_files([tmp_path / "one.txt", tmp_path / "two.txt"])
    one, two = (page.get_by_role("button", name=f"Remove {name} from the list") for name in ("one.txt", "two.txt"))
    two.wait_for()
    one.focus()
    page.keyboard.press("Enter")
    one.wait_for(state="detached")
    page.wait_for_function("document.activeElement !== document.body")
    assert page.evaluate("document.activeElement.tabIndex") == -1
    page.keyboard.press("Enter")
    page.keyboard.press("Tab")
    page.wait_for_function("document.activeElement.closest('.looks') !== null")
    two.focus()
    two.click()  # by mouse: it has no place to lose
    two.wait_for(state="detached")
    page.wait_for_timeout(500)
    assert page.evaluate("document.activeElement === document.body")


def test_another_language_is_chosen_and_kept(visit):
    page = visit()
    page.get_by_label("Language", exact=True).select_option("한국어")
    page.get_by_label("언어", exact=True).wait_for()
    page.reload()
    page.get_by_label("언어", exact=True).wait_for()


@pytest.mark.parametrize("system", ["light", "dark"])
def test_light_and_dark_are_the_systems_or_as_chosen(visit, system):
    page = visit(color_scheme=system)

    level = "getComputedStyle(document.body).backgroundColor.match(/\\d+/g).map(Number)[0]"
    before = page.evaluate(level)
    assert (before > 128) == (system == "light")
    page.get_by_label("Appearance", exact=True).select_option("dark" if system == "light" else "light")
    # The page is loaded anew: for a moment there is no body.
    page.wait_for_function(f"before => document.body && Math.abs({level} - before) > 99", arg=before)


def test_what_is_on_or_chosen_is_seen_in_the_systems_own_colours(visit):
    page = visit(forced_colors="active")
    page.get_by_role("button", name="Mirror").click()
    page.locator("button[aria-pressed=true]", has_text="Mirror").wait_for()
    ground = "one => getComputedStyle(one).backgroundColor"
    look = {name: page.get_by_role("button", name=name).evaluate(ground) for name in ("Mirror", "Figures")}
    rooms = {name: page.get_by_role("link", name=name, exact=True).evaluate(ground) for name in ("Live", "Clips")}
    switches = {on: page.locator(f".switch input{on}").first.evaluate(ground) for on in (":checked", ":not(:checked)")}
    assert all(len({*each.values()}) == 2 for each in (look, rooms, switches))


def test_the_first_tab_leads_past_the_frame(visit):
    page = visit()
    page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.textContent") == "Skip to the room"
    page.keyboard.press("Enter")
    assert page.evaluate("document.activeElement.id") == "room"


@pytest.mark.skipif(CHROMIUM is None, reason="needs chromium")
def test_a_page_whose_studio_has_ended_says_so_in_its_language(browser, tmp_path):
    with studio_in(tmp_path) as studio:
        visit = Visit(browser, studio)
        page = visit(locale="ko-KR")
        page.keyboard.press("s")
        page.locator(".badge.on").wait_for()
    page.get_by_text("스튜디오가 응답하지 않습니다.").wait_for()
    # Nothing that it said is to be believed any more, and no button seems to do something.
    page.locator(".badge.on").wait_for(state="hidden")
    assert page.evaluate("getComputedStyle(document.querySelector('.screen'), '::after').content").count("이전 화면")
    assert page.evaluate("document.getElementById('room').inert")
    with studio_in(tmp_path, "--port", str(studio.port)):  # with another secret in its address
        page.get_by_text("스튜디오가 다시 시작되었습니다.").wait_for()
        page.get_by_text("스튜디오가 응답하지 않습니다.").wait_for(state="hidden")
    visit.close()


def test_the_second_half_of_a_double_click_is_for_nothing_that_came_meanwhile(visit):
    page = visit()
    page.evaluate(
        """() => {
            window.clicks = [];
            const row = document.createElement("div");
            row.style = "position: fixed; inset: 0 auto auto 0; z-index: 99";
            const made = (name, then) => {
                const button = document.createElement("button");
                [button.textContent, button.style] = [name, "width: 200px; height: 60px"];
                button.onclick = () => (clicks.push(name), then?.());
                row.replaceChildren(button);
            };
            made("Cancel", () => made("Remove"));
            document.body.append(row);
        }"""
    )
    page.mouse.dblclick(100, 30)
    assert page.evaluate("clicks") == ["Cancel"]
    page.wait_for_timeout(600)
    page.mouse.click(100, 30)
    page.mouse.click(100, 30, click_count=2)  # of the same button both halves count
    assert page.evaluate("clicks") == ["Cancel", "Remove", "Remove", "Remove"]
