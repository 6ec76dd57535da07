"""Where clips are cut."""

from __future__ import annotations

from fractions import Fraction
from itertools import pairwise

import pytest

from understudy.media.files.keyframes import Keyframes
from understudy.tasks.segments.edges import Edge, SegmentOptions, edges, warmed_by

OPTIONS = SegmentOptions(frames=300, fewest=100, warming=2.0, closely=0.2, apart=0.1)


def clip(count, keys, large=()):
    """Thirty frames a second."""
    sizes = tuple(5000 if n in keys else 900 if n in large else 100 for n in range(count))
    return Keyframes(tuple(n * 512 for n in range(count)), tuple(keys), sizes, Fraction(1, 15360))


def never(before, key):
    return False


def test_a_short_clip_and_one_with_nowhere_to_begin_are_not_cut():
    assert edges(clip(399, range(0, 399, 30)), OPTIONS, never) == []
    assert edges(clip(3000, [0]), SegmentOptions(frames=300, fewest=200, warming=2.0), never) == []


def test_a_change_of_scene_comes_before_all_else_and_is_not_warmed():
    keys = [0, 250, 290, 340, 590]
    asked = []

    def changes(before, key):
        asked.append((before, key))
        return key == 290

    assert edges(clip(700, keys), OPTIONS, changes)[0] == Edge(290, 290)
    assert asked[0] == (250, 290)  # the nearest to where it should be cut; far ones are not decoded for it


def test_no_more_than_a_few_pictures_are_looked_at_for_an_edge():
    asked = []
    edges(clip(700, range(0, 700, 10)), OPTIONS, lambda before, key: bool(asked.append(key)))
    assert 0 < len(asked) <= 6


def test_elsewhere_it_is_warmed_from_where_decoding_begins_and_cut_where_most_moves():
    (edge, *_) = edges(clip(700, range(0, 700, 250), large=[330]), OPTIONS, never)
    assert edge == Edge(250, 330)
    later = clip(700, range(0, 700, 250))
    (edge, *_) = edges(later, OPTIONS, never)
    assert later.seconds(edge.first) - later.seconds(edge.begins) >= 2.0
    assert edge.first not in later.keys


def test_no_segment_is_shorter_than_the_fewest():
    for count in range(390, 1300, 37):
        known = clip(count, range(0, count, 25))
        firsts = [0, *(edge.first for edge in edges(known, OPTIONS, lambda _, key: key % 50 == 0)), count]
        assert all(other - one >= 100 for one, other in pairwise(firsts)), firsts


def test_warming_takes_few_frames_at_first_and_all_of_the_last():
    taken, last = [], None
    for n in range(60):
        if warmed_by(n / 30, 2.0, last, OPTIONS):
            taken.append(n)
            last = n / 30
    assert taken[:3] == [0, 3, 6]
    assert taken[-6:] == [54, 55, 56, 57, 58, 59]
    assert warmed_by(2.0, 2.0, None, OPTIONS)
    assert not warmed_by(0.9, 3.0, None, OPTIONS)  # longer ago than it helps
    assert warmed_by(5.0, 2.0, 4.99, OPTIONS)


@pytest.mark.parametrize("wrong", [{"frames": 1}, {"fewest": 1}, {"frames": 10, "fewest": 20}, {"warming": -1.0}])
def test_what_can_not_be_is_refused(wrong):
    with pytest.raises(ValueError, match="segment"):
        SegmentOptions(**wrong)
