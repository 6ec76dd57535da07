"""What was done so far: people are counted, not tracks."""

import numpy as np
import pytest

from understudy.face import Faces
from understudy.frames import PixelBox
from understudy.patches import Patch
from understudy.pipeline.tally import Swapped, Tally


def patch(track):
    mesh, uv = np.zeros((468, 3), np.float32), np.zeros((1, 1, 2), np.float32)
    alpha = np.zeros((1, 1), np.uint8)
    return Patch(np.zeros((1, 1, 3), np.uint8), alpha, uv, PixelBox(0, 0, 1, 1), mesh, track)


def done(*rows, swapped):
    """Tracks and their people, and the tracks that were swapped."""
    tracks, people = ([row[column] for row in rows] for column in (0, 1))
    known = None if None in people else np.array(people, int)
    faces = Faces(np.zeros((len(rows), 4)), track_ids=np.array(tracks, int), person_ids=known)
    return Swapped(faces, [patch(track) for track in swapped])


@pytest.mark.parametrize(
    ("frames", "people"),
    [
        ([done((1, None), swapped=[1]), done((2, None), swapped=[2])], 2),
        ([done((1, 1), swapped=[1]), done((2, 1), (3, 2), swapped=[2])], 1),
        ([done((1, -1), swapped=[1]), done((1, 1), swapped=[1]), done((2, 1), swapped=[2])], 1),
        ([done((1, 1), swapped=[1]), done((2, -1), swapped=[1, 2])], 2),
        ([done((1, 1), swapped=[1]), done((1, -1), swapped=[1])], 1),
        ([done((1, 1), swapped=[])], 0),
    ],
)
def test_each_person_counts_once_and_so_does_each_track_of_nobody_who_is_known(frames, people):
    tally = Tally()
    for frame in frames:
        tally.add(frame)
    assert tally.people == people


def test_two_who_turn_out_to_be_one_count_once():
    tally = Tally()
    tally.add(done((1, 1), swapped=[1]))
    tally.add(done((2, 2), swapped=[2]))
    assert tally.people == 2
    tally.rename([(2, 1)])
    assert tally.people == 1
