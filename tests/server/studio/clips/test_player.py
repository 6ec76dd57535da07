"""A clip that is played as it will be."""

from __future__ import annotations

import io

import numpy as np
import pytest
from PIL import Image

from tests.evidence import has_label
from tests.provenance.test_content import Marked
from understudy import Lane, Settings, Understudy
from understudy.casting.cast import Part, PartList
from understudy.errors import ContentRefusedError
from understudy.media.files import open_source
from understudy.server.studio.clips.frames import StaleError
from understudy.server.studio.clips.player import Player, Wanted
from understudy.testing import ClipSpec, write_clip


def picture(data):
    return np.asarray(Image.open(io.BytesIO(data)).convert("RGB"))[:, :, ::-1]


@pytest.fixture
def player(small_clip, hopper_path):
    with Understudy() as app, open_source(small_clip) as source:
        found = Player(app, small_clip, source.info)
        found.cast = PartList((Part("largest", app.person(hopper_path)),))
        yield found
        found.stop()


@pytest.mark.slow
def test_frames_come_for_the_times_that_are_asked_for_labelled(player):
    wanted = Wanted("one", 1, player.cast, Settings())
    for at, shown in ((0.0, 0.0), (0.05, 0.04), (0.3, 0.28), (0.31, 0.28), (9.0, 0.96)):
        played = player.at(at, wanted, original=True)
        assert played.seconds == pytest.approx(shown, abs=1e-6)
        assert has_label(picture(played.result))
        assert not has_label(picture(played.original))
    assert np.abs(picture(played.original).astype(int) - picture(played.result))[60:180, 100:220].mean() > 5


@pytest.mark.slow
def test_the_original_is_left_out_where_nobody_asks_for_it(player):
    assert player.at(0, Wanted("one", 1, player.cast, Settings()), original=False).original == b""
    alone = player.at(0, Wanted("two", 1, None, Settings()), original=False)
    assert alone.original
    assert alone.result == b""


@pytest.mark.slow
def test_a_run_that_another_one_took_the_place_of_gets_nothing_more(player):
    first, second = (Wanted(name, 1, player.cast, Settings()) for name in ("one", "two"))
    player.at(0, first, original=False)
    player.at(0.5, second, original=False)
    with pytest.raises(StaleError):
        player.at(0.04, first, original=False)
    assert player.at(0.1, second, original=False).seconds == pytest.approx(0.08)  # back: begun anew


@pytest.mark.slow
def test_what_is_changed_meanwhile_is_seen_in_the_next_frame(player):
    shown = player.at(0.2, Wanted("one", 1, player.cast, Settings()), original=True)
    lanes = Settings(lanes=(Lane(0, None, do="leave"),))
    left = player.at(0.24, Wanted("one", 2, player.cast, lanes), original=True)
    apart = [
        np.abs(picture(one.original).astype(int) - picture(one.result))[60:180, 100:220].mean() for one in (shown, left)
    ]
    assert apart[1] < 4 < apart[0]
    assert has_label(picture(left.result))


@pytest.mark.slow
def test_what_was_refused_once_stays_refused_for_the_rest_of_the_run(small_clip, hopper_path, tmp_path):
    with open_source(small_clip) as source:
        shots = [frame.picture.copy() for frame in source]
    shots[10:15] = [np.full_like(shots[0], 255)] * 5
    write_clip(tmp_path / "clip.mp4", shots, ClipSpec(rate=25, audio=()))
    with Understudy(classifier=Marked()) as app, open_source(tmp_path / "clip.mp4") as source:
        player = Player(app, tmp_path / "clip.mp4", source.info)
        cast = PartList((Part("largest", app.person(hopper_path)),))
        player.at(0.0, Wanted("one", 1, cast, Settings()), original=False)
        times = np.arange(0.04, 0.96, 0.04)
        with pytest.raises(ContentRefusedError):
            for seconds in times:
                player.at(float(seconds), Wanted("one", 1, cast, Settings()), original=False)
        for version in (1, 2):  # also where a setting is changed meanwhile
            with pytest.raises(ContentRefusedError):
                player.at(0.8, Wanted("one", version, cast, Settings()), original=False)
        player.stop()
