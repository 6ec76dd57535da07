"""Models: fetched, stopped, taken in, measured, removed - without a browser."""

import asyncio
import re

import pytest

from tests.models.lying import lying_server
from tests.models.shelf import entry, graph
from understudy.app import Understudy
from understudy.errors import CatalogueError, ModelFileError, UsageError
from understudy.models.catalogue import OWN_FILE, Catalogue
from understudy.models.entries import KINDS
from understudy.server.studio.models import words
from understudy.server.studio.models.desk import LicenceAskedError, Shelf
from understudy.server.texts import LANGUAGES, Texts
from understudy.server.uploads import Uploads
from understudy.settings import Settings

pytestmark = pytest.mark.loopback
GOOD = graph(0)


class Shop:
    """A shelf whose catalogue has two small models that come from a server of the test's own."""

    def __init__(self, folder, server):
        self.home, self.server = folder / "home", server
        self.home.mkdir(mode=0o700)
        server.files |= {"/good.onnx": GOOD, "/other.onnx": graph(1)}
        entries = [
            entry("good", {"url": server.url("/good.onnx")}, data=GOOD),
            entry("other", {"url": server.url("/other.onnx")}, needs=["good"], licence="apache-2.0"),
        ]
        (self.home / OWN_FILE).write_text("\n".join(entries))
        self.app = Understudy(Settings(home=self.home))
        self.uploads = Uploads(self.home)
        self.shelf = Shelf(self.app, self.uploads)

    def item(self, name):
        return next(item for item in self.shelf.items() if item.entry.name == name)

    async def until(self, done):
        for _ in range(1500):
            if done():
                return
            await asyncio.sleep(0.01)
        raise AssertionError(self.shelf.pulls.all())

    async def give(self, name, data):
        async def pieces():
            yield data

        return await self.uploads.take(name, "model", pieces())


@pytest.fixture
def shop(tmp_path):
    with lying_server() as server:
        found = Shop(tmp_path, server)
        yield found
        found.uploads.close()
        found.app.close()


def test_a_model_comes_with_what_it_needs_and_its_licence_is_noted(shop):
    async def run():
        assert [one.name for one in shop.shelf.wanted("other")] == ["good", "other"]
        assert set(shop.shelf.unaccepted(shop.shelf.wanted("other"))) == {"mit", "apache-2.0"}
        shop.shelf.pull("other")
        assert shop.item("good").coming
        await shop.until(lambda: not shop.shelf.pulls.all())

    asyncio.run(run())
    assert {shop.item(name).state for name in ("good", "other")} == {"there"}
    assert shop.item("good").needed_by == ("other",)
    assert (shop.item("good").pinned, shop.item("other").pinned) == (True, False)
    assert not shop.shelf.unaccepted([shop.item("other").entry])
    assert shop.shelf.wanted("other") == []


def test_a_pull_that_is_stopped_keeps_what_came_and_goes_on(shop):
    shop.server.manners["/good.onnx"] = ["slow", ""]

    async def run():
        shop.shelf.pull("good")
        (pull,) = shop.shelf.pulls.all()
        await shop.until(lambda: pull.done > 0)
        assert pull.total == len(GOOD)
        shop.shelf.pulls.stop(pull)
        await shop.until(lambda: not shop.shelf.pulls.all())
        assert shop.item("good").state == "begun"
        shop.shelf.pull("good")
        await shop.until(lambda: not shop.shelf.pulls.all())

    asyncio.run(run())
    assert shop.item("good").state == "there"
    assert shop.server.asked[-1][1] is not None  # it went on where it was stopped


@pytest.mark.slow
def test_one_that_waits_can_be_taken_back(shop):
    shop.server.manners["/good.onnx"] = ["slow"]

    async def run():
        shop.shelf.pull("good")
        shop.shelf.pull("other")
        first, second = shop.shelf.pulls.all()
        await shop.until(lambda: first.current)
        shop.shelf.pulls.stop(second)
        assert shop.shelf.pulls.all() == (first,)
        await shop.until(lambda: not shop.shelf.pulls.all())

    asyncio.run(run())
    assert shop.item("other").state == "missing"


def test_what_fails_says_why_can_be_tried_again_and_does_not_hold_up_the_next(shop):
    shop.server.manners["/good.onnx"] = ["404", ""]

    async def run():
        shop.shelf.pull("good")
        await shop.until(lambda: shop.shelf.pulls.all()[0].fault is not None)
        (pull,) = shop.shelf.pulls.all()
        assert pull.fault.text == "fault.fetch"
        assert "404" in pull.fault.detail
        shop.shelf.pull("good")
        await shop.until(lambda: not shop.shelf.pulls.all())

    asyncio.run(run())
    assert shop.item("good").state == "there"


def test_the_end_of_the_studio_ends_a_pull(shop):
    shop.server.manners["/good.onnx"] = ["drips"]

    async def run():
        shop.shelf.pull("good")
        await shop.until(lambda: shop.shelf.pulls.all()[0].done > 0)
        await asyncio.wait_for(shop.shelf.pulls.close(), 10)

    asyncio.run(run())
    assert shop.item("good").state == "begun"


def test_a_file_is_taken_in_by_its_digest_once_its_licence_was_accepted(shop):
    async def run():
        upload = await shop.give("whatever.onnx", GOOD)
        with pytest.raises(LicenceAskedError) as asked:
            await shop.shelf.take_in(upload)
        assert upload.path.exists()
        shop.shelf.accept([asked.value.entry])
        done = await shop.shelf.take_in(upload)
        assert done.models == ("good",)
        assert not upload.path.exists()

    asyncio.run(run())
    assert shop.item("good").state == "there"


def test_a_file_of_the_right_name_and_wrong_bytes_is_refused_and_goes(shop):
    async def run():
        shop.shelf.accept([shop.item("good").entry])
        upload = await shop.give("GOOD.onnx", graph(7))
        with pytest.raises(ModelFileError) as fault:
            await shop.shelf.take_in(upload)
        said = shop.shelf.said(fault.value, upload)
        assert said.text == "fault.model_file"
        assert "can't take in good.onnx: good.onnx is not the file" in said.detail
        assert str(shop.home) not in said.detail
        assert list(shop.home.rglob("*.named")) == []
        assert not upload.path.exists()

    asyncio.run(run())
    assert shop.item("good").state == "missing"


def test_a_file_that_nobody_knows_and_an_archive_that_is_none_are_refused_and_go(shop):
    async def run():
        upload = await shop.give("holiday.onnx", b"no model at all")
        with pytest.raises(UsageError) as fault:
            await shop.shelf.take_in(upload)
        assert shop.shelf.said(fault.value, upload).text == "models.not_known"
        assert not upload.path.exists()
        upload = await shop.give("holiday.zip", b"no archive at all")
        with pytest.raises(ModelFileError) as broken:
            await shop.shelf.take_in(upload)
        assert "holiday.zip: it is no zip archive, or not a whole one" in shop.shelf.said(broken.value, upload).detail
        assert not upload.path.exists()

    asyncio.run(run())


def test_models_are_verified_measured_and_removed(shop):
    async def run():
        shop.shelf.pull("good")
        await shop.until(lambda: not shop.shelf.pulls.all())
        assert await shop.shelf.verify() == {"good": "there"}
        assert shop.item("good").cost is None
        path = shop.shelf.store.path(shop.item("good").entry)
        data = bytearray(path.read_bytes())
        data[-1] ^= 1
        path.write_bytes(data)
        assert await shop.shelf.verify() == {"good": "altered"}
        await shop.shelf.remove("good")

    asyncio.run(run())
    assert shop.item("good").state == "missing"


@pytest.mark.slow
def test_the_models_that_the_package_carries_are_measured(shop):
    asyncio.run(shop.shelf.measure_embedded())
    texts = Texts("en")
    assert len(shop.shelf.embedded) >= 10
    for cost in shop.shelf.embedded:
        assert words.own(texts, cost.name)
        assert re.match(r"[\d.]+ ms a run · ", words.cost(texts, cost))
    assert words.cost(texts, None) == "not measured here"


@pytest.mark.parametrize("language", [language for language in LANGUAGES if language != "en"])
def test_what_each_model_of_the_catalogue_is_for_is_said_in_every_language(language):
    catalogue, titles = Catalogue.load(), words.titles(language)
    said = {one.title for one in (*catalogue.entries.values(), *catalogue.bundles.values())}
    assert said == set(titles)
    assert all(re.search(r"[\u3400-\u9fff\uac00-\ud7a3]", title) for title in titles.values())
    assert words.title(Texts(language), "of my own") == ("of my own", True)


def test_every_kind_is_said():
    assert set(words.KINDS) == set(KINDS)


def test_a_catalogue_of_the_users_that_is_wrong_is_said(tmp_path):
    home = tmp_path / "home"
    home.mkdir(mode=0o700)
    (home / OWN_FILE).write_text("[[model]]\nname = 3\n")
    with Understudy(Settings(home=home)) as app:
        uploads = Uploads(home)
        with pytest.raises(CatalogueError, match=r"models\.toml"):
            Shelf(app, uploads).items()
        uploads.close()
