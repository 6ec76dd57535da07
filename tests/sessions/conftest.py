"""Live sessions that leave no thread behind."""

import threading
import time

import pytest

from tests.sessions.stage import SIZE
from understudy import Settings, Understudy
from understudy.testing import FakeCamera, Puppet, talking


@pytest.fixture(scope="module")
def pictures(astronaut):
    puppet = Puppet(astronaut, SIZE, face_share=0.5)
    return [puppet.render(talking(n / 30)).picture for n in range(60)]


@pytest.fixture
def session(hopper_path, pictures, tmp_path):
    """Makes sessions and sees to it that none leaves a thread behind."""
    before = set(threading.enumerate())
    made = []

    def make(*sinks, source=None, people=None, **more):
        settings = Settings(home=tmp_path / "home")
        app = Understudy(more.pop("settings", settings), classifier=more.pop("classifier", None))
        people = [app.person(*photos, consent="sample") for photos in people or [[hopper_path]]]
        makers = [sink if callable(sink) else (lambda _, sink=sink: sink) for sink in sinks]
        live = app.live(people, source or FakeCamera(pictures), makers, **more)
        made.append(live)
        return live

    yield make
    for live in made:
        if live.running:  # the test failed: the next one shall not suffer
            live.stop()
    deadline = time.monotonic() + 3
    while set(threading.enumerate()) - before and time.monotonic() < deadline:
        time.sleep(0.05)
    assert {thread.name for thread in set(threading.enumerate()) - before} == set()
