"""A clip that is played as it will be."""

from __future__ import annotations

import io

import numpy as np
import pytest
from PIL import Image

from tests.evidence import has_label
from understudy import Lane, Settings, Understudy
from understudy.casting.cast import Part, PartList
from understudy.media.files import open_source
from understudy.server.studio.clips.frames import StaleError
from understudy.server.studio.clips.player import Player, Wanted


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
