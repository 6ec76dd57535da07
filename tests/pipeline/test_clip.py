"""A clip's frames follow each other, up to a cut."""

from __future__ import annotations

import threading
from fractions import Fraction

import cv2
import numpy as np
import pytest

from understudy import Settings
from understudy.casting.assignment import OnePerson
from understudy.casting.portraits import portrait_in
from understudy.casting.roles import Roles
from understudy.face import Faces
from understudy.frames import Frame
from understudy.pipeline.clip import ClipPipeline
from understudy.pipeline.handover import Handover
from understudy.pipeline.photo import PhotoPipeline
from understudy.pipeline.tally import Swapped
from understudy.testing import Puppet, talking
from understudy.testing.opened import parts_of


@pytest.fixture(scope="module")
def shots(astronaut, hopper):
    """Two shots of six frames: of one person in little light, and of another."""
    dim, bright = Puppet(astronaut, (480, 360), face_share=0.6), Puppet(hopper, (480, 360), face_share=0.6)
    first = [(dim.render(talking(number / 30)).picture * 0.4).astype(np.uint8) for number in range(6)]
    return first, [bright.render(talking(number / 30)).picture for number in range(6)]


@pytest.fixture(scope="module")
def swapped(perception, hopper):
    parts = parts_of(Settings(), perception)
    identity = parts.engine.identity([portrait_in(hopper, "hopper", perception, None)[0]])

    def pictures(kind, shown, first=0):
        pipeline, result = kind(parts, OnePerson(identity)), []
        for number, picture in enumerate(shown, first):
            frame = Frame(picture.copy(), pts=number, time_base=Fraction(1, 30))
            assert pipeline.swap(frame).patches
            result.append(frame.picture)
        return result

    return pictures


@pytest.mark.slow
def test_after_a_cut_nothing_of_the_shot_before_is_left(swapped, shots):
    """Neither its light falls on the next, nor its people's shape."""
    together, alone = swapped(ClipPipeline, shots[0] + shots[1]), swapped(ClipPipeline, shots[1], first=6)
    np.testing.assert_array_equal(together[6:], alone)


def frames_of(pictures):
    return [Frame(one.copy(), pts=number, time_base=Fraction(1, 30)) for number, one in enumerate(pictures)]


def pipeline_of(perception, hopper):
    parts = parts_of(Settings(), perception)
    return ClipPipeline(parts, OnePerson(parts.engine.identity([portrait_in(hopper, "hopper", perception, None)[0]])))


@pytest.mark.slow
def test_looking_ahead_in_a_thread_changes_nothing(perception, hopper, shots):
    def pictures(beside):
        pipeline = pipeline_of(perception, hopper)
        found = [one.frame.picture for one in pipeline.processed(iter(frames_of(shots[0] + shots[1])), beside)]
        assert pipeline.tally.frames_swapped == 12
        return found

    np.testing.assert_array_equal(pictures(2), pictures(0))


def test_what_fails_in_that_thread_is_raised_after_the_frames_before_it(perception, hopper, shots):
    def broken():
        yield from frames_of(shots[0][:3])
        raise OSError("unplugged")

    done = []
    with pytest.raises(OSError, match="unplugged"):
        for labelled in pipeline_of(perception, hopper).processed(broken(), 2):
            done.append(labelled)
    assert len(done) == 3


def test_whoever_stops_early_leaves_no_thread(perception, hopper, shots):
    before = threading.active_count()
    processed = pipeline_of(perception, hopper).processed(iter(frames_of(shots[0])), 2)
    next(processed)
    assert threading.active_count() == before + 2
    processed.close()
    assert threading.active_count() == before


@pytest.mark.slow
def test_photos_have_nothing_to_do_with_each_other(swapped, shots):
    one_by_one = [swapped(PhotoPipeline, [picture], number)[0] for number, picture in enumerate(shots[0])]
    np.testing.assert_array_equal(swapped(PhotoPipeline, shots[0]), one_by_one)


@pytest.mark.slow
@pytest.mark.parametrize("how", ["from the side", "all at once"])
def test_whoever_is_to_be_blurred_is_so_from_the_first_frame_on(perception, astronaut, hopper, how):
    """Somebody comes while another one is followed: seen in part at first, or found by a detector that looks seldom."""
    here, comes = Puppet(astronaut, (320, 360), face_share=0.5), Puppet(hopper, (320, 360), face_share=0.5)
    shown = [0] * 8 + ([40, 100, 160, 240, 320] if how == "from the side" else []) + [320] * 8
    originals = []
    for number, width in enumerate(shown):
        picture = np.full((360, 640, 3), 128, np.uint8)
        picture[:, :320] = here.render(talking(number / 30)).picture
        picture[:, 640 - width :] = comes.render(talking(number / 30)).picture[:, :width]
        originals.append(picture)
    pipeline = ClipPipeline(parts_of(Settings(), perception), Roles({}, "blur", {}))
    done = pipeline.swapped(frames_of(originals))
    for width, original, (frame, _) in zip(shown, originals, done, strict=True):
        face = (
            slice(100, 260),
            slice(max(640 - width, 400) + 10, min(640 - width + 240, 560)),
        )  # the label is not there
        if face[1].stop - face[1].start > 30:
            assert sharpness(frame.picture[face]) < 0.3 * sharpness(original[face]), width


@pytest.mark.slow
def test_what_is_blurred_does_not_go_over_to_how_a_segment_draws_it_that_does_not_know(perception, shots):
    pictures = shots[1]
    unaware = [(frame, Swapped(Faces.empty(), [])) for frame in frames_of(pictures)]
    pipeline = ClipPipeline(parts_of(Settings(), perception), Roles({}, "blur", {}), handover=Handover(unaware))
    face = (slice(140, 240), slice(180, 300))
    for original, labelled in zip(pictures, pipeline.processed(iter(frames_of(pictures))), strict=True):
        assert sharpness(labelled.frame.picture[face]) < 0.3 * sharpness(original[face])


def sharpness(picture):
    return float(cv2.Laplacian(cv2.cvtColor(picture, cv2.COLOR_BGR2GRAY), cv2.CV_64F).var())
