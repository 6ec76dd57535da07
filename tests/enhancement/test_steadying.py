"""What a restorer adds goes along with the face, and does not flicker."""

from __future__ import annotations

import threading
from fractions import Fraction
from itertools import pairwise

import cv2
import numpy as np
import pytest

from understudy.canvas import Canvas
from understudy.enhancement import EnhanceOptions, Enhancer, Enhancers, SwappedFace
from understudy.enhancement.detail import Detail, carried, crop_of, draw
from understudy.enhancement.steadying import Steadied
from understudy.evaluation.steadiness import Instant, flicker
from understudy.frames import Frame
from understudy.geometry.boxes import bounds_xyxy, pixel_box
from understudy.geometry.raster import rasterise
from understudy.geometry.templates import TEMPLATES
from understudy.geometry.topology import closed, closed_triangles, topology
from understudy.patches import Patch
from understudy.testing import Motion, Puppet, talking

SIZE = 256


class Restorer:
    """Adds what a function says of each crop."""

    size, template, border = SIZE, TEMPLATES["ffhq_512"], (0, 0, 0)

    def __init__(self, adds):
        self.adds, self.runs = adds, 0

    def restored(self, crop, weight):
        self.runs += 1
        return np.clip(np.rint(crop + self.adds(crop)), 0, 255).astype(np.uint8)


def swapped(mesh, width, height, track=1):
    box = pixel_box(bounds_xyxy(mesh[None])[0], width, height, margin=1)
    size = (box.x1 - box.x0, box.y1 - box.y0)
    corner = np.float32([box.x0, box.y0, 0])
    uv, depth = rasterise(closed(mesh - corner), closed_triangles(), closed(topology().uv), size)
    return SwappedFace(box, np.isfinite(depth).astype(np.uint8) * 255, mesh, track), uv


@pytest.fixture(scope="module")
def puppet(astronaut):
    return Puppet(astronaut, (480, 360), face_share=0.6)


def frame_of(rendered, number, rate=25):
    return Frame(rendered.picture.copy(), pts=number, time_base=Fraction(1, rate))


def spots():
    """Dots on a face's crop."""
    rows, columns = np.mgrid[0:SIZE, 0:SIZE]
    dots = ((rows // 12 + columns // 12) % 3 == 0) * 40.0
    return np.repeat(cv2.GaussianBlur(dots.astype(np.float32), (0, 0), 2)[:, :, None], 3, axis=2)


@pytest.mark.slow
def test_detail_is_carried_to_where_the_faces_points_are_now(puppet):
    """The puppet moves its mouth and turns: what was added follows the mesh, as its own picture does."""
    before, after = puppet.render(Motion()), puppet.render(Motion(yaw=14, roll=10, mouth=0.5))
    restorer = Restorer(lambda crop: 0)
    first, now = (crop_of(one.picture, one.mesh, restorer) for one in (before, after))
    # The face itself, taken for what was added: carried, it should be the face as it is now.
    moved = carried(Detail(first.picture.astype(np.float32), first.mesh), Detail(first.picture, now.mesh))
    seen = moved.any(axis=2)
    seen = cv2.erode(seen.astype(np.uint8), np.ones((15, 15), np.uint8)) > 0
    error = np.abs(moved - now.picture)[seen].mean()
    left = np.abs(first.picture.astype(np.float32) - now.picture)[seen].mean()
    print(f"carried {error:.1f}, left where it was {left:.1f} grey levels")
    assert error < 0.5 * left


def test_what_is_drawn_on_the_mesh_it_was_made_on_is_what_was_made(puppet):
    rendered = puppet.render(Motion(roll=8))
    face, _ = swapped(rendered.mesh, 480, 360)
    crop = crop_of(rendered.picture, rendered.mesh, Restorer(lambda crop: 0))
    same = carried(Detail(spots(), crop.mesh), Detail(spots(), crop.mesh))
    inside = np.abs(same).any(axis=2)
    assert np.abs(same - spots())[inside].max() < 0.1
    region = np.full((*face.shown.shape, 3), 100, np.uint8)
    draw(region, face, Detail(np.full((SIZE, SIZE, 3), 30, np.float32), crop.mesh), 1.0)
    assert (region[cv2.erode(face.shown, np.ones((5, 5), np.uint8)) > 0] == 130).all()


def test_what_is_shown_follows_with_the_time_constant():
    mesh = np.zeros((478, 3), np.float32)
    steadied = Steadied()
    none, full = (Detail(np.full((4, 4, 3), value, np.float32), mesh) for value in (0.0, 100.0))
    steadied.begin(1.0)
    steadied.take(none)
    assert steadied.shown(0.0, 0.1).added.max() == 0
    steadied.take(full)
    values = []
    for number in range(1, 5):
        values.append(float(steadied.shown(steadied.begin(1.0 + 0.05 * number), 0.1).added.max()))
    assert values == pytest.approx([100 * (1 - np.exp(-0.5 * n)) for n in range(1, 5)], rel=1e-3)
    assert steadied.shown(0.01, 0).added.max() == 100
    steadied.take(none)
    assert steadied.shown(0.6, 0.1) is none


@pytest.mark.parametrize("then", [0.2, 3.0])
def test_a_step_back_or_a_gap_forgets(then):
    steadied = Steadied()
    steadied.begin(1.0)
    steadied.take(Detail(np.ones((4, 4, 3), np.float32), np.zeros((478, 3), np.float32)))
    assert steadied.begin(then) == 0
    assert steadied.shown(0.0, 0.1) is None


def run(puppet, restorer, seconds, *, still=False, frames=24):
    """A clip in which all of the face is enhanced, with what it was before."""
    enhancer = Enhancer(EnhanceOptions(("twin:1",), seconds=seconds), Enhancers({"twin": restorer}))
    instants = []
    for number in range(frames):
        rendered = puppet.render(Motion() if still else talking(number / 25))
        frame = frame_of(rendered, number)
        # As from a camera: no two frames are quite the same.
        grain = np.random.default_rng(number).normal(0, 1.5, frame.picture.shape)
        frame.picture[:] = np.clip(np.rint(frame.picture + grain), 0, 255)
        before = frame.picture.copy()
        face, uv = swapped(rendered.mesh, 480, 360)
        enhancer.enhance(Canvas(frame), [face], [None])
        instants.append(
            Instant(before, frame.picture, Patch(before, face.shown, uv, face.box, rendered.mesh, face.track_id))
        )
    return instants


def inventive(crop):
    """What a restorer makes up: it turns over with the slightest change of what it sees."""
    phase = cv2.GaussianBlur(crop.astype(np.float32).mean(axis=2), (0, 0), 1) * 0.9
    field = np.random.default_rng(3).uniform(0, 6, phase.shape)
    return cv2.GaussianBlur(np.sin(phase + field) * 40, (0, 0), 1.5)[:, :, None]


@pytest.mark.slow
@pytest.mark.parametrize("still", [True, False])
def test_over_time_it_flickers_less(puppet, still):
    """Measured as every swap's flicker is: change that no motion explains."""
    found = {}
    for seconds in (0.0, 0.12):
        before, after = flicker(run(puppet, Restorer(inventive), seconds, still=still))
        found[seconds] = float(after[4:].mean())
        raw = float(before[4:].mean())
    print(f"still {still}: untouched {raw:.2f}, each frame by itself {found[0.0]:.2f}, steadied {found[0.12]:.2f}")
    assert found[0.12] - raw < 0.6 * (found[0.0] - raw)


@pytest.mark.slow
def test_what_does_not_change_is_not_blurred_by_being_carried(puppet):
    """The same dots in every frame of a talking face stay as strong."""
    instants = run(puppet, Restorer(lambda crop: spots()), 0.12)
    at_once = run(puppet, Restorer(lambda crop: spots()), 0.0)

    def strength(runs):
        return np.mean([np.abs(i.after.astype(int) - i.before).mean() for i in runs[8:]])

    print(strength(instants), strength(at_once))
    assert strength(instants) > 0.9 * strength(at_once)


def test_after_a_cut_nothing_of_the_shot_before_is_left(puppet):
    rendered = puppet.render(Motion())
    face, _ = swapped(rendered.mesh, 480, 360)
    adds = [40.0, 0.0]
    enhancer = Enhancer(
        EnhanceOptions(("twin:1",)), Enhancers({"twin": Restorer(lambda crop: adds[0] if crop.mean() else 0)})
    )
    enhancer.enhance(Canvas(frame_of(rendered, 0)), [face], [None])
    enhancer.forget()
    adds[0] = 0.0
    frame = frame_of(rendered, 1)
    enhancer.enhance(Canvas(frame), [face], [None])
    assert np.array_equal(frame.picture, rendered.picture)


def test_a_face_that_comes_in_over_the_frames_edge_is_restored_there_at_once(puppet):
    """Of what a restorer makes up beyond the picture nothing is kept: all of the face is as it says, in every frame."""
    restorer = Restorer(lambda crop: 150.0 - crop)  # skin, wherever it looks
    enhancer = Enhancer(EnhanceOptions(("twin:1",)), Enhancers({"twin": restorer}))
    for number in range(6):
        rendered = puppet.render(Motion(shift=(-1.5 + 0.04 * number, 0)))
        face, _ = swapped(rendered.mesh, 480, 360)
        frame = frame_of(rendered, number)
        enhancer.enhance(Canvas(frame), [face], [None])
        inside = cv2.erode(face.shown, np.ones((3, 3), np.uint8)) > 0
        part = (slice(face.box.y0, face.box.y1), slice(0, 8))
        off = np.abs(frame.picture[part].astype(int) - 150)[inside[:, :8]].mean()
        given = np.abs(rendered.picture[part].astype(int) - 150)[inside[:, :8]].mean()
        print(f"frame {number}: {off:.1f} grey levels off at the edge, of {given:.1f}")
        assert face.box.x0 == 0
        assert off < 0.3 * given


class Slow(Restorer):
    """Takes as long as it is held."""

    def __init__(self, adds):
        super().__init__(adds)
        self.go = threading.Semaphore(0)

    def restored(self, crop, weight):
        assert self.go.acquire(timeout=20)
        return super().restored(crop, weight)


def test_beside_no_frame_waits_and_what_was_made_last_goes_along(puppet):
    restorer = Slow(lambda crop: 40.0)
    enhancer = Enhancer(EnhanceOptions(("twin:1",)), Enhancers({"twin": restorer}), beside=True)

    def show(number, motion):
        rendered = puppet.render(motion)
        face, _ = swapped(rendered.mesh, 480, 360)
        frame = frame_of(rendered, number)
        enhancer.enhance(Canvas(frame), [face], [None])
        added = frame.picture.astype(int) - rendered.picture
        core = cv2.erode(face.shown, np.ones((31, 31), np.uint8)) > 0
        part = added[face.box.y0 : face.box.y1, face.box.x0 : face.box.x1]
        outside = added.copy()
        outside[face.box.y0 : face.box.y1, face.box.x0 : face.box.x1][face.shown > 0] = 0
        assert not outside.any()
        return np.abs(part[core]).mean()

    try:
        assert [show(number, Motion()) for number in range(3)] == [0, 0, 0]  # the restorer has not given anything yet
        restorer.go.release()
        until(lambda: restorer.runs == 1)
        # Little by little, and where the face is by then: it moved while the restorer was at work.
        found = [show(number, Motion(yaw=number - 3, shift=(0.01 * (number - 3), 0))) for number in range(3, 20)]
        assert found[0] < 15
        assert all(b >= a - 1 for a, b in pairwise(found))
        assert found[-1] > 30
        assert enhancer.runs == 1
        assert enhancer.frames == 17
    finally:
        restorer.go.release(10)
        enhancer.close()


def until(happened, seconds=10.0):
    event = threading.Event()
    for _ in range(int(seconds / 0.01)):
        if happened():
            event.wait(0.05)
            return
        event.wait(0.01)
    raise AssertionError("it did not happen")
