"""``Understudy``: opened once, for many clips, photos and sessions at a time."""

import contextlib
import gc
import os
import signal
import subprocess
import sys
import threading
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path
from threading import Barrier

import cv2
import numpy as np
import pytest

import understudy
from tests.sessions.stage import Screen
from understudy import (
    ConsentClaim,
    EnhanceOptions,
    Like,
    MaskOptions,
    Part,
    PartList,
    Person,
    Settings,
    Understudy,
)
from understudy.errors import ConsentError, InputError, OutputError, UnderstudyError, UsageError
from understudy.outputs import made
from understudy.pipeline import clip
from understudy.provenance import Consents, Home
from understudy.resources.kept import Kept
from understudy.swapping import MeshEngine
from understudy.testing import ClipSpec, FakeCamera, Puppet, talking, write_puppet_clip


@pytest.fixture
def app(tmp_path):
    with Understudy(Settings(home=tmp_path / "home")) as opened:
        yield opened


@pytest.fixture(scope="module")
def clips(tmp_path_factory, astronaut, hopper):
    """Two clips of different people, of different sizes."""
    folder = tmp_path_factory.mktemp("clips")
    for name, whom, size in (("one", astronaut, (320, 240)), ("two", hopper, (400, 300))):
        write_puppet_clip(folder / f"{name}.mp4", Puppet(whom, size, face_share=0.6), 0.8, ClipSpec(rate=25, audio=()))
    return [folder / "one.mp4", folder / "two.mp4"]


@pytest.fixture
def drawn(monkeypatch):
    """The pictures of each clip as they are before label and mark, by the clip's width."""
    found, sealed = {}, clip.sealed

    def noted(sealer, frame, done):
        found.setdefault((threading.get_ident(), frame.width), []).append(frame.picture.copy())
        return sealed(sealer, frame, done)

    monkeypatch.setattr(clip, "sealed", noted)
    return lambda: {width: pictures for (_, width), pictures in found.items()}


@pytest.mark.slow
def test_two_clips_at_once_have_the_frames_of_one_after_the_other(
    app, clips, hopper_path, astronaut_path, drawn, tmp_path
):
    people = [app.person(photo, consent="sample") for photo in (hopper_path, astronaut_path)]

    def swap(number, name):
        return app.swap(clips[number], tmp_path / f"{name}-{number}.mp4", people[number])

    reports = [swap(number, "alone") for number in range(2)]
    alone = drawn()
    assert sorted(alone) == [320, 400]
    together = Barrier(2)

    def at_once(number):
        together.wait(30)
        return swap(number, "together")

    with ThreadPoolExecutor(2) as pool:
        again = list(pool.map(at_once, range(2)))
    for report, other in zip(reports, again, strict=True):
        assert report.frames == other.frames == 20
        assert report.identifier != other.identifier
    for width, pictures in drawn().items():
        assert len(pictures) == 20
        for picture, before in zip(pictures, alone[width], strict=True):
            assert np.array_equal(picture, before)
    for name in ("alone-0", "together-1"):
        assert app.inspect(tmp_path / f"{name}.mp4").verdict == "made by this tool"


def open_files():
    return len(os.listdir("/proc/self/fd"))


@pytest.mark.skipif(sys.platform != "linux", reason="counts the process' open files in /proc")
@pytest.mark.alone
@pytest.mark.slow
def test_twenty_sessions_leave_threads_and_files_as_they_were(app, hopper_path, astronaut):
    puppet = Puppet(astronaut, (320, 240), face_share=0.5)
    pictures = [puppet.render(talking(n / 30)).picture for n in range(6)]
    person = app.person(hopper_path, consent="sample")

    def session():
        with app.live(person, FakeCamera(pictures, count=6), [lambda _: Screen()]) as live:
            live.wait(30)

    # Caches fill in the first ones; 75 more take no memory that stays.
    for _ in range(10):
        session()
    gc.collect()
    threads, files, memory = set(threading.enumerate()), open_files(), resident()
    for _ in range(20):
        session()
    gc.collect()
    assert set(threading.enumerate()) <= threads
    assert open_files() <= files
    assert resident() < memory + 40e6


def resident():
    return int(Path("/proc/self/statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE")


@pytest.mark.slow
def test_a_photo_is_learned_once_by_its_content(app, hopper_path, astronaut_path, tmp_path, monkeypatch):
    learned = []
    identity = MeshEngine.identity
    monkeypatch.setattr(MeshEngine, "identity", lambda self, portraits: learned.append(1) or identity(self, portraits))
    photo = tmp_path / "photo.jpg"
    photo.write_bytes(hopper_path.read_bytes())
    for number in range(2):
        app.swap(astronaut_path, tmp_path / f"{number}.png", app.person(photo, consent="sample"))
    assert len(learned) == 1
    photo.write_bytes(astronaut_path.read_bytes())
    app.swap(hopper_path, tmp_path / "other.png", app.person(photo, consent="sample"))
    assert len(learned) == 2


@pytest.mark.slow
def test_a_consent_that_is_revoked_is_not_remembered(app, hopper_path, astronaut_path, tmp_path):
    person = app.person(hopper_path, consent="sample")
    app.swap(astronaut_path, tmp_path / "one.png", person)
    (record,) = Consents(Home(app.settings.home)).all()
    Consents(Home(app.settings.home)).revoke(record.id)
    with pytest.raises(ConsentError, match="revoked"):
        app.swap(astronaut_path, tmp_path / "two.png", person)


@pytest.mark.slow
def test_settings_of_a_call_do_not_open_another_private_folder(app, hopper_path, astronaut_path, tmp_path):
    person = app.person(hopper_path, consent="sample")
    with pytest.raises(UsageError, match="private folder"):
        app.swap(astronaut_path, tmp_path / "out.png", person, settings=Settings(home=tmp_path / "other"))
    app.swap(astronaut_path, tmp_path / "out.png", person, settings=Settings(faces="all"))
    assert not (tmp_path / "other").exists()


def test_a_person_has_a_photo(app):
    with pytest.raises(UsageError, match="no source photo"):
        app.person()


@pytest.mark.slow
def test_faces_inspect_and_doctor_are_asked_of_the_same_object(app, astronaut_path):
    assert len(app.faces(astronaut_path).faces) == 1
    assert app.inspect(astronaut_path).verdict != "made by this tool"
    assert app.doctor().healthy


@pytest.mark.slow
def test_a_live_session_made_in_one_line_closes_what_it_opened(hopper_path, clips, tmp_path, monkeypatch):
    closed, close = [], Understudy.close
    monkeypatch.setattr(Understudy, "close", lambda self: closed.append(1) or close(self))
    settings, output = Settings(home=tmp_path / "home"), tmp_path / "out.mp4"
    with understudy.live(hopper_path, clips[0], output, consent="sample", settings=settings) as session:
        assert session.wait(30)
        assert closed == []
    assert closed == [1]
    assert understudy.inspect(output, home=tmp_path / "home").verdict == "made by this tool"


@pytest.mark.parametrize("source", ["missing.mp4", "gopher://host/x"])
def test_one_that_can_not_begin_closes_it_too(source, hopper_path, tmp_path, monkeypatch):
    closed, close = [], Understudy.close
    monkeypatch.setattr(Understudy, "close", lambda self: closed.append(1) or close(self))
    settings = Settings(home=tmp_path / "home")
    with pytest.raises(UnderstudyError):
        understudy.live([hopper_path], source, tmp_path / "out.mp4", consent="sample", settings=settings).start()
    assert closed == [1]


def test_faces_in_one_line(astronaut_path):
    assert len(understudy.faces(astronaut_path).faces) == 1


@pytest.mark.slow
def test_a_cast_says_which_faces_are_meant(app, hopper_path, astronaut, astronaut_path, tmp_path):
    two = tmp_path / "two.png"
    cv2.imwrite(str(two), np.hstack([astronaut, astronaut]))
    me = app.person(hopper_path, consent="sample")
    assert app.swap(two, tmp_path / "all.png", {"all": me}).people == 2
    left = app.swap(two, tmp_path / "left.png", {"left": me}, settings=Settings(faces="all"))
    assert left.people == 1


@pytest.mark.parametrize(
    ("words", "said", "hint"),
    [
        ([], "nobody gets a face", "--put"),
        (["left", "largest"], "would get two faces", "once"),
        (["third"], "no faces are called 'third'", "largest, smallest, all, left, right, top, bottom"),
    ],
)
def test_a_cast_that_says_nothing_or_too_much_is_refused_with_what_is_possible(
    app, words, said, hint, hopper_path, astronaut_path, tmp_path
):
    people = [app.person(path, consent="sample") for path in (hopper_path, astronaut_path)]
    cast = dict(zip(words, people, strict=False))
    with pytest.raises(UsageError, match=said) as caught:
        app.swap(hopper_path, tmp_path / "out.png", cast)
    assert hint in caught.value.hint


def test_a_cast_is_of_people(app, hopper_path, tmp_path):
    with pytest.raises(UsageError, match="where a person"):
        app.swap(hopper_path, tmp_path / "out.png", {"all": str(hopper_path)})


@pytest.mark.parametrize("word", ["Blur", "zz", "", None, 1, ()])
def test_who_is_to_be_blurred_in_a_word_that_is_none_is_refused(app, hopper_path, word):
    """Taken for "leave", it would show the faces of people who were to be hidden."""
    me = app.person(hopper_path, consent="sample")
    for wrong in (
        lambda: PartList((Part(1, me),), others=word),
        lambda: Part(2, word),
        lambda: app.swap(hopper_path, "out.png", {1: me, 2: word}),
        lambda: app.live({"left": me, "right": word}),
    ):
        with pytest.raises(UsageError, match="'blur' and 'leave'"):
            wrong()


def test_a_number_of_numpy_is_a_number_and_a_part_of_nobody_is_refused(hopper_path):
    me = Person(hopper_path)
    assert Part(np.int64(2), me) == Part(2, me)
    for wrong in ("zz", 1.0, True, None, np.array([1, 2])):
        with pytest.raises(UsageError, match=r"no faces are called 'zz'|is no person of a clip"):
            Part(wrong, me)
    assert PartList([Part(1, me)]).parts == PartList(Part(1, me)).parts == (Part(1, me),)
    with pytest.raises(UsageError, match="int where a Part should be"):
        PartList(3)


def test_paths_of_people_may_be_words_and_one_may_stand_alone(app, hopper_path, astronaut_path, tmp_path):
    me = Person(str(hopper_path), consent=ConsentClaim("sample"))
    assert me == Person([hopper_path], consent=ConsentClaim("sample"))
    assert Like(str(hopper_path)) == Like(hopper_path)
    assert app.swap(astronaut_path, tmp_path / "out.png", {np.int64(1): me}).frames_swapped == 1
    for wrong in (lambda: Person(None), lambda: Person((1,)), lambda: Like(3)):
        with pytest.raises(TypeError):
            wrong()


def test_hints_say_what_to_do_in_python_too(app, hopper_path, tmp_path):
    for cast, word in (({}, "{1: person}"), (Person(()), "app.person(PHOTO)"), ({1: "blur"}, "{1: person}")):
        with pytest.raises(UsageError) as told:
            app.swap(hopper_path, tmp_path / "out.png", cast)
        assert word in told.value.hint


def test_one_word_is_not_taken_for_its_letters(app, astronaut_path):
    assert app.faces(astronaut_path, ask="emotion").faces == app.faces(astronaut_path, ask=["emotion"]).faces
    with pytest.raises(UnderstudyError, match="'nope'"):
        app.people(astronaut_path, ask="nope")
    assert MaskOptions(occluders="xseg_1") == MaskOptions(occluders=("xseg_1",))
    assert EnhanceOptions("sharpen") == EnhanceOptions(("sharpen",))


@pytest.mark.slow
def test_a_session_is_recorded_with_public_names_only(app, hopper_path, clips, tmp_path):
    source = understudy.open_capture(str(clips[0]), understudy.CaptureOptions())
    record = [lambda release: understudy.RecordingSink(tmp_path / "out.mp4", release)]
    with app.live(app.person(hopper_path, consent="sample"), source, record) as session:
        assert session.wait(30)
    assert app.inspect(tmp_path / "out.mp4").verdict == "made by this tool"


def test_every_public_name_is_there_and_importing_opens_nothing():
    for name in understudy.__all__:
        assert getattr(understudy, name) is not None
    program = "import sys, understudy; print([m for m in ('numpy', 'cv2', 'av', 'onnxruntime') if m in sys.modules])"
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


def test_a_photo_that_is_replaced_while_it_is_read_is_not_taken_for_another(
    app, hopper_path, astronaut_path, tmp_path, monkeypatch
):
    from understudy.casting import portraits

    photo, load = tmp_path / "photo.jpg", portraits.load_photo
    photo.write_bytes(hopper_path.read_bytes())

    def replaced(path, most):
        if path == photo:
            photo.write_bytes(astronaut_path.read_bytes())
        return load(path, most)

    with monkeypatch.context() as patch:
        patch.setattr(portraits, "load_photo", replaced)
        with pytest.raises(InputError, match="replaced while it was read"):
            app.swap(astronaut_path, tmp_path / "out.png", app.person(photo, consent="sample"))
    assert not (tmp_path / "out.png").exists()


@pytest.mark.slow
def test_engines_and_people_are_opened_once_by_threads_that_begin_together(
    app, hopper_path, astronaut_path, tmp_path, monkeypatch
):
    opened = []
    begin = MeshEngine.__init__
    monkeypatch.setattr(MeshEngine, "__init__", lambda self, *options: opened.append(1) or begin(self, *options))
    together = Barrier(4)

    def swap(number):
        person = app.person((hopper_path, astronaut_path)[number % 2], consent="sample")
        together.wait(30)
        return app.swap((astronaut_path, hopper_path)[number % 2], tmp_path / f"{number}.png", person)

    with ThreadPoolExecutor(4) as pool:
        reports = list(pool.map(swap, range(4)))
    assert len(opened) == 1
    assert len({report.identifier for report in reports}) == 4


@pytest.mark.slow
def test_what_is_closed_stays_closed_and_ends_its_sessions(hopper_path, astronaut_path, astronaut, tmp_path):
    camera = FakeCamera([Puppet(astronaut, (320, 240), face_share=0.5).render(talking(0)).picture])
    with Understudy(Settings(home=tmp_path / "home")) as app:
        person = app.person(hopper_path, consent="sample")
        session = app.live(person, camera, [lambda _: Screen()])
        session.start()
        assert session.running
    assert not session.running
    with pytest.raises(UsageError, match="closed"):
        app.swap(astronaut_path, tmp_path / "out.png", person)


@pytest.mark.slow
def test_settings_that_a_session_was_given_can_be_changed_while_it_runs(app, hopper_path, astronaut):
    camera = FakeCamera([Puppet(astronaut, (320, 240), face_share=0.5).render(talking(0)).picture])
    mine = Settings(mesh=understudy.MeshOptions(shape=0.5))
    with app.live(app.person(hopper_path, consent="sample"), camera, [lambda _: Screen()], settings=mine) as session:
        session.settings = replace(mine, faces="all")
        assert session.settings.faces == "all"


@pytest.mark.parametrize("way", ["home", "../h/home"])
def test_the_same_folder_in_other_words_is_the_same(way, tmp_path, monkeypatch, astronaut_path):
    (tmp_path / "h").mkdir()
    monkeypatch.chdir(tmp_path / "h")
    with Understudy(Settings(home=tmp_path / "h" / "home")) as app:
        assert len(app.faces(astronaut_path, settings=Settings(home=Path(way))).faces) == 1


def test_least_recently_used_values_go_first_and_one_that_is_too_large_moves_nobody():
    kept = Kept(100, lambda value: value)
    for key, size in (("a", 40), ("b", 40), ("large", 101)):
        assert kept.get(key, lambda size=size: size) == size
    made = []
    assert kept.get("a", lambda: made.append(1) or 40) == 40
    assert made == []
    kept.get("c", lambda: 40)  # b is longer ago
    kept.get("b", lambda: made.append(1) or 40)
    assert made == [1]


@pytest.mark.skipif(os.name != "posix", reason="needs POSIX signals")
def test_an_interruption_while_models_are_given_back_is_not_lost(tmp_path):
    class Last:
        """Interrupted while it ends."""

        def __del__(self):
            signal.raise_signal(signal.SIGINT)

    app = Understudy(Settings(home=tmp_path / "home"))
    object.__setattr__(app.resources.models.perception(Settings()), "last", Last())
    with pytest.raises(KeyboardInterrupt):
        app.close()


@pytest.fixture
def pictures(astronaut):
    puppet = Puppet(astronaut, (320, 240), face_share=0.5)
    return [puppet.render(talking(n / 30)).picture for n in range(20)]


@pytest.mark.slow
def test_closing_stops_what_is_over_and_what_runs_whatever_fails(hopper_path, pictures, tmp_path):
    """A recording of a clip that ended is signed, and one session's failure keeps no other one running."""

    class Breaks(Screen):
        def close(self):
            raise OutputError(tmp_path / "x", "broke off")

    app = Understudy(Settings(home=tmp_path / "home"))
    me = app.person(hopper_path, consent="sample")
    over = app.live(me, FakeCamera(pictures, count=60), [tmp_path / "over.mp4"])
    runs, fails = (app.live(me, FakeCamera(pictures), [lambda _, sink=sink: sink]) for sink in (Screen(), Breaks()))
    for session in (over, runs, fails):
        session.start()
    assert over.wait(20)
    with contextlib.suppress(UnderstudyError):
        app.close()
    assert app.inspect(tmp_path / "over.mp4").verdict == "made by this tool"
    assert all(session.stopped for session in (over, runs, fails))


@pytest.mark.slow
@pytest.mark.parametrize("error", [KeyError("mine"), KeyboardInterrupt(), ConsentError("mine", "hint")])
def test_what_a_block_is_left_for_is_raised_though_its_session_failed_too(hopper_path, pictures, tmp_path, error):
    class Breaks(Screen):
        def close(self):
            raise OutputError("broke off", "another hint")

    app = Understudy(Settings(home=tmp_path / "home"))
    me = app.person(hopper_path, consent="sample")
    with pytest.raises(type(error)) as caught, app.live(me, FakeCamera(pictures), lambda _: Breaks()) as session:
        raise error
    assert caught.value is error
    if sys.version_info >= (3, 11):
        assert "broke off" in error.__notes__[0]
    with pytest.raises(OutputError, match="broke off"):
        session.stop()
    with pytest.raises(OutputError, match="broke off"), app.live(me, FakeCamera(pictures), lambda _: Breaks()):
        pass
    with pytest.raises(type(error)), app:
        app.live(me, FakeCamera(pictures), lambda _: Breaks()).start()
        raise error


@pytest.mark.slow
def test_a_session_runs_once(hopper_path, pictures, tmp_path):
    session = understudy.live(
        hopper_path, FakeCamera(pictures), lambda _: Screen(), consent="sample", settings=Settings(home=tmp_path / "h")
    )
    with pytest.raises(UsageError, match="not begun"):
        print(session.info)
    session.start()
    with pytest.raises(UsageError, match="started before"):
        session.start()
    assert session.running
    session.stop()
    with pytest.raises(UsageError, match="started before"), session:
        pass


@pytest.mark.parametrize(
    "wrong",
    [
        lambda app, me, out: app.live(me, None, out),
        lambda app, me, out: app.live(me, FakeCamera, out),
        lambda app, me, out: app.live(me, "0", 0),
        lambda app, me, out: app.live(me, "0", {"window": 1}),
        lambda app, me, out: app.live("me.jpg", "0", out),
        lambda app, me, out: app.live({1.5: me}, "0", out),
        lambda app, me, out: app.swap("clip.mp4", out, [me]),
        lambda app, me, out: app.swap("clip.mp4", out, Path("me.jpg")),
        lambda app, me, out: app.swap("clip.mp4", out, me, settings={}),
        lambda app, me, out: app.person("me.jpg", consent=True),
        lambda app, me, out: Understudy({}),
        lambda app, me, out: Understudy(Path("settings.toml")),
    ],
)
def test_what_is_given_in_the_place_of_something_else_is_told(wrong, tmp_path):
    app = Understudy(Settings(home=tmp_path / "home"))
    with pytest.raises((UsageError, TypeError), match=r"person|pictures|settings|consent"):
        wrong(app, app.person("me.jpg"), tmp_path / "o.mp4")


def test_a_name_with_a_nul_byte_is_answered_like_any_other_that_is_none(app, hopper_path, clips, tmp_path):
    """Systems refuse it with a bare ValueError, in whatever is asked about it first."""
    me, name = app.person(hopper_path, consent="sample"), f"{tmp_path}/a\0b"
    for code, call in [
        (3, lambda: app.swap(clips[0], tmp_path / "out.mp4", app.person(f"{name}.png", consent="sample"))),
        (3, lambda: app.swap(f"{name}.mp4", tmp_path / "out.mp4", me)),
        (6, lambda: app.swap(hopper_path, f"{name}.png", me)),
        (6, lambda: app.swap(hopper_path, f"{name}/out.png", me)),
        (3, lambda: app.faces(name)),
        (3, lambda: app.inspect(name)),
        (3, lambda: app.live(me, f"{name}.mp4", tmp_path / "out.mp4").start()),
        (6, lambda: app.live(me, clips[0], f"{name}.mp4")),
        (6, lambda: app.live(me, clips[0], tmp_path / "out.mp4", stats_file=f"{name}.json")),
        (3, lambda: understudy.read_settings(f"{name}.toml")),
        (2, lambda: Understudy(Settings(home=Path(name)))),
        (2, lambda: app.swap(hopper_path, tmp_path / "out.png", me, settings=Settings(home=Path(name)))),
        (6, lambda: made(Path(name), "Name another.")),
    ]:
        with pytest.raises(UnderstudyError) as told:
            call()
        assert told.value.exit_code == code
        assert "a\0b" in told.value.message or "a\ufffdb" in told.value.message
    assert list(tmp_path.glob("*.*")) == []


@pytest.mark.parametrize("name", [".", "", "below"])
def test_a_folder_in_the_place_of_a_file_is_called_one(app, hopper_path, tmp_path, monkeypatch, name):
    (tmp_path / "below").mkdir()
    monkeypatch.chdir(tmp_path)
    me = app.person(hopper_path, consent="sample")
    for call in (
        lambda: understudy.read_settings(name),
        lambda: understudy.read_cast(name),
        lambda: understudy.read_lanes(name),
        lambda: understudy.playout(name or "."),
        lambda: app.swap(name, "out.png", me),
        lambda: app.swap(hopper_path, name, me),
        lambda: app.swap(hopper_path, "out.png", Person(name, consent=ConsentClaim("sample"))),
        lambda: app.faces(name),
    ):
        with pytest.raises(UnderstudyError) as told:
            call()
        assert "below (a folder)" in told.value.message or ". (this folder, or no name" in told.value.message


def test_a_camera_may_be_a_number_and_a_folder_a_text(tmp_path):
    app = Understudy(Settings(home=str(tmp_path / "home")))
    assert app.settings.home == tmp_path / "home"
    assert not app.live(app.person("me.jpg"), 0, tmp_path / "o.mp4").running
