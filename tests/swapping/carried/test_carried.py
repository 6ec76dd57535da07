"""What a slow engine gave is carried by the mesh: where it lies, how long, and what is shown where it gave nothing."""

from __future__ import annotations

from fractions import Fraction

import numpy as np
import pytest

from tests.swapping.carried.standins import StandIn, faces_of, flat
from understudy.casting.portraits import portrait_in
from understudy.frames import Frame
from understudy.geometry.topology import topology
from understudy.geometry.unwrap import facing
from understudy.guard import unguarded
from understudy.pipeline.compositing import Compositing
from understudy.swapping import MeshEngine
from understudy.swapping.carried.engine import Carried
from understudy.swapping.carried.looks import Limits
from understudy.swapping.carried.running import KEPT, AtOnce, Counts
from understudy.testing import REST, Motion, Puppet

SIZE = (480, 480)


@pytest.fixture(scope="module")
def portrait(hopper, perception):
    return portrait_in(hopper, "hopper", perception, None)[0]


@pytest.fixture(scope="module")
def puppet(astronaut):
    return Puppet(astronaut, SIZE, face_share=0.5)


@pytest.fixture(scope="module")
def shots(puppet):
    """A turning, speaking, blinking head, 25 frames a second."""
    return [puppet.render(Motion(yaw=1.2 * n, pitch=-0.5 * n, mouth=0.06 * n, blink=n == 8)) for n in range(12)]


def frame_of(shot, number):
    return Frame(shot.picture.copy(), number, Fraction(1, 25))


def rendered(engine, shots, portrait, runner=None, times=None):
    """The patch of each shot."""
    identity, renderer = engine.identity([portrait]), engine.renderer(runner=runner)
    return [
        renderer.render(frame_of(shot, at), faces_of(shot.mesh), {1: identity})[0]
        for at, shot in zip(times or range(len(shots)), shots, strict=True)
    ]


def never_again(slow):
    """An engine that is asked for one frame only."""
    engine, inf = Carried(slow, MeshEngine(), "slow"), float("inf")
    engine.limits = Limits(1000, inf, inf, inf)
    return engine


def at(patch, point):
    x, y = np.floor(point[:2] - [patch.box.x0, patch.box.y0]).astype(int)
    return patch.picture[y, x].astype(int)


def painted_points():
    """Middles of triangles on cheeks and forehead, away from the openings: as weights of the mesh's points."""
    shape = topology()
    middles = shape.uv[shape.triangles].mean(1)
    rings = np.concatenate([shape.eye_left, shape.eye_right, shape.lips_inner, shape.oval])
    inner = np.linalg.norm(middles[:, None] - shape.uv[rings][None], axis=2).min(1) > 0.09
    weights = np.zeros((len(shape.triangles), len(shape.uv)), np.float32)
    np.put_along_axis(weights, shape.triangles.astype(np.int64), 1 / 3, axis=1)
    return weights[inner][::9]


@pytest.mark.slow
def test_a_pattern_lies_where_the_face_has_moved_to(shots, portrait):
    """A slow engine paints a dot on one point of the face; in later frames the dot is on that point still."""
    errors = []
    for weights in painted_points():
        drawn = shots[0].mesh.T @ weights

        def dot(frame, mesh, drawn=drawn):
            y, x = np.mgrid[0 : SIZE[1], 0 : SIZE[0]] + 0.5
            spot = 200 * np.exp(-((x - drawn[0]) ** 2 + (y - drawn[1]) ** 2) / 8)
            return np.repeat((40 + spot).astype(np.uint8)[:, :, None], 3, axis=2)

        patches = rendered(never_again(StandIn(dot)), shots[::11], portrait)
        truth = shots[11].mesh.T @ weights
        if min(facing(shots[0].mesh) @ weights, facing(shots[11].mesh) @ weights) < 0.5:
            continue
        light = np.clip(patches[1].picture[:, :, 1].astype(float) - 60, 0, None) * (patches[1].alpha > 128)
        y, x = np.mgrid[0 : light.shape[0], 0 : light.shape[1]] + 0.5
        where = [
            (light * x).sum() / light.sum() + patches[1].box.x0,
            (light * y).sum() / light.sum() + patches[1].box.y0,
        ]
        errors.append(float(np.linalg.norm(where - truth[:2])))
    print(f"{len(errors)} dots, {np.mean(errors):.2f} px off in the mean, {max(errors):.2f} at most")
    assert len(errors) > 8
    assert np.mean(errors) < 0.5
    assert max(errors) < 1.5


@pytest.mark.slow
def test_the_mesh_engine_carried_looks_as_if_it_drew_every_frame(shots, portrait):
    mesh = MeshEngine()
    carried = rendered(Carried(mesh, mesh, "slow", 1000), shots, portrait)
    identity, renderer = mesh.identity([portrait]), mesh.renderer()
    every = [renderer.render(frame_of(shot, n), faces_of(shot.mesh), {1: identity})[0] for n, shot in enumerate(shots)]
    for one, other in zip(carried, every, strict=True):
        assert one.box == other.box or abs(one.box.x0 - other.box.x0) < 8
    shown = []
    for patches in (carried, every):
        compositing, frames = Compositing(), [frame_of(shot, n) for n, shot in enumerate(shots)]
        for frame, patch in zip(frames, patches, strict=True):
            compositing.compose(unguarded(frame), [patch])
        shown.append([frame.picture.astype(int) for frame in frames])
    differences = [
        np.abs(a - b)[np.abs(a - shot.picture).max(axis=2) > 0].mean() for a, b, shot in zip(*shown, shots, strict=True)
    ]
    print("grey levels off, by age:", [round(float(one), 2) for one in differences])
    assert differences[0] < 1.5
    assert max(differences) < 4


def test_eyes_and_inner_mouth_are_the_targets_own_also_in_the_frame_that_was_drawn(puppet, portrait):
    shot = puppet.render(Motion(mouth=1))
    (patch,) = rendered(Carried(StandIn(flat(255)), MeshEngine(), "slow", 5), [shot], portrait)
    for ring in (topology().eye_left, topology().eye_right, topology().lips_inner):
        x, y = (shot.mesh[ring].mean(0)[:2] - [patch.box.x0, patch.box.y0]).astype(int)
        assert patch.alpha[y, x] == 0
    assert patch.warp is None  # and they stay where they are: this engine took no other shape


@pytest.mark.slow
def test_it_is_drawn_again_in_every_nth_frame_and_sooner_where_the_face_moved_far(puppet, portrait):
    still, slow = [puppet.render(REST)] * 12, StandIn(flat(90))
    rendered(Carried(slow, MeshEngine(), "slow", 4), still, portrait)
    assert slow.runs == 3
    for motion in (Motion(yaw=14), Motion(mouth=0.6)):
        slow, moving = StandIn(flat(90)), [still[0]] * 3 + [puppet.render(motion)] * 3
        rendered(Carried(slow, MeshEngine(), "slow", 100), moving, portrait)
        assert slow.runs == 2, motion
    slow, dark = StandIn(flat(90)), still[0]._replace(picture=(still[0].picture * 0.5).astype(np.uint8))
    rendered(Carried(slow, MeshEngine(), "slow", 100), [still[0]] * 3 + [dark] * 3, portrait)
    assert slow.runs == 2
    slow, tilted = StandIn(flat(90)), [puppet.render(Motion(roll=3 * n, shift=(0.05 * n, 0))) for n in range(5)]
    rendered(Carried(slow, MeshEngine(), "slow", 100), tilted, portrait)
    assert slow.runs == 1  # a head that is only tilted or moved shows what it did


def test_what_is_new_comes_in_over_a_few_frames(puppet, portrait):
    """One grey, then a lighter one: the frames between have something between."""
    greys = iter([60, 180])
    slow = StandIn(lambda frame, mesh: np.full_like(frame.picture, next(greys)))
    shot = puppet.render(REST)
    patches = rendered(Carried(slow, MeshEngine(), "slow", 4), [shot] * 8, portrait)
    nose = [int(at(patch, shot.mesh[1])[0]) for patch in patches]
    print(nose)
    assert nose[:4] == [60] * 4
    assert 60 < nose[4] < nose[5] < 180
    assert nose[6:] == [180, 180]


def test_two_runs_give_the_same(shots, portrait):
    runs = [rendered(Carried(MeshEngine(), MeshEngine(), "slow", 5), shots, portrait) for _ in range(2)]
    for one, other in zip(*runs, strict=True):
        np.testing.assert_array_equal(one.picture, other.picture)
        np.testing.assert_array_equal(one.alpha, other.alpha)


def test_what_turned_into_view_is_the_mesh_engines_in_the_same_light(puppet, portrait):
    """A face that was drawn from the side, grey: where it was not seen there is no hole, and no other light."""
    side, front = puppet.render(Motion(yaw=-35)), puppet.render(REST)
    patch = rendered(never_again(StandIn(flat(70))), [side, front], portrait)[1]
    turned = facing(front.mesh)[: len(side.mesh)]
    corner = np.array([patch.box.x0, patch.box.y0])
    opaque = np.array([patch.alpha[tuple((point - corner).astype(int)[::-1])] > 200 for point in front.mesh[:468, :2]])
    plain = opaque & (turned[:468] > 0.5)
    hidden, seen = plain & (facing(side.mesh)[:468] < 0.1), plain & (facing(side.mesh)[:468] > 0.6)
    assert hidden.sum() > 5
    colors = [np.array([at(patch, point) for point in front.mesh[:468][some]]) for some in (hidden, seen)]
    print([part.mean(0).round() for part in colors], hidden.sum(), seen.sum())
    assert np.ptp(colors[1].mean(0)) < 3  # grey, as it was drawn
    assert 40 < colors[0].mean() < 110  # as light as that


def test_nothing_that_was_before_the_face_is_carried(puppet, portrait):
    """A hand lies on the cheek in the frame that was drawn, green as the slow engine drew it; then it is gone."""
    shot = puppet.render(REST)
    cheek = shot.mesh[50, :2]

    def drawn(frame, mesh):
        picture = np.full_like(frame.picture, 120)
        x, y = cheek.astype(int)
        picture[y - 15 : y + 15, x - 15 : x + 15] = (0, 255, 0)
        return picture

    for told in (False, True):
        engine = Carried(StandIn(drawn), MeshEngine(), "slow", 1000)
        identity, renderer = engine.identity([portrait]), engine.renderer()
        for number in range(2):
            frame = frame_of(shot, number)
            (patch,) = renderer.render(frame, faces_of(shot.mesh), {1: identity})
            in_front = np.full_like(patch.alpha, 255)
            x, y = (cheek - [patch.box.x0, patch.box.y0]).astype(int)
            in_front[y - 18 : y + 18, x - 18 : x + 18] = 0
            if told and number == 0:
                renderer.hidden(frame, patch, in_front)
        blue, green, red = at(patch, cheek)
        assert (green > blue + 100 and green > red + 100) != told, (told, blue, green, red)


def test_no_numbers_are_no_hole_and_it_is_asked_again(puppet, portrait):
    answers = iter([None, None, 90, None, None, None])
    slow = StandIn(lambda frame, mesh: None if (grey := next(answers)) is None else np.full_like(frame.picture, grey))
    shot, runner = puppet.render(REST), AtOnce()
    times = [0, 1, 2, 3, 4, round((KEPT + 0.2) * 25)]
    patches = rendered(Carried(slow, MeshEngine(), "slow", 2), [shot] * 6, portrait, runner, times)
    nose = [at(patch, shot.mesh[1]) for patch in patches]
    skin = [one.std() > 5 for one in nose]
    assert skin[:5] == [True, True, False, False, False]
    assert slow.runs == 5
    assert runner.counts.runs == 1
    # Too old it goes, little by little, and the mesh engine draws.
    assert np.abs(nose[5] - nose[0]).mean() < np.abs(nose[4] - nose[0]).mean()


def test_somebody_elses_face_is_drawn_at_once(puppet, portrait, astronaut, perception):
    """Not by and by, as another face of the same person."""
    greys = iter((60, 200))
    slow, shot = StandIn(lambda frame, _: np.full_like(frame.picture, next(greys))), puppet.render(REST)
    engine = Carried(slow, MeshEngine(), "slow", 1000)
    others = engine.identity([portrait]), engine.identity([portrait_in(astronaut, "a", perception, None)[0]])
    renderer = engine.renderer()
    cheek = np.add(shot.mesh[topology().oval].mean(0), (0, 30, 0))
    seen = []
    for number, identity in enumerate((others[0], others[0], others[1], others[1])):
        (patch,) = renderer.render(frame_of(shot, number), faces_of(shot.mesh), {1: identity})
        seen.append(int(at(patch, cheek)[1]))
    assert slow.runs == 2
    assert np.abs(np.subtract(seen, (60, 60, 200, 200))).max() < 6


@pytest.mark.slow
@pytest.mark.parametrize("side", ["left", "right", "top", "bottom"])
def test_the_edge_of_the_frame_is_not_carried_over_the_face(puppet, portrait, side):
    """What an engine sees beyond the frame is black, and so may be what it draws at its edge."""
    shot = puppet.render(REST)
    low, high = shot.mesh[:, :2].min(0), shot.mesh[:, :2].max(0)
    x, y = ((low + high) / 2 + (high - low) * 0.2).astype(int)  # where the frame ends
    part = {
        "left": np.s_[:, x:],
        "right": np.s_[:, :x],
        "top": np.s_[y:],
        "bottom": np.s_[:y],
    }[side]
    edge = {"left": np.s_[:, :3], "right": np.s_[:, -3:], "top": np.s_[:3], "bottom": np.s_[-3:]}[side]
    shift = np.array([x if side == "left" else 0, y if side == "top" else 0, 0], np.float32)
    drawn = []
    for black in (True, False):

        def draw(frame, mesh, black=black):
            picture = flat(120)(frame, mesh)
            if black:
                picture[edge] = 0
            return picture

        engine = never_again(StandIn(draw))
        identity, renderer = engine.identity([portrait]), engine.renderer()
        cut = Frame(np.ascontiguousarray(shot.picture[part]), 0, Fraction(1, 25))
        renderer.render(cut, faces_of(shot.mesh - shift), {1: identity})
        (patch,) = renderer.render(frame_of(shot, 1), faces_of(shot.mesh), {1: identity})
        drawn.append(np.where(patch.alpha[:, :, None] > 128, patch.picture, 120).astype(int))
    assert np.abs(drawn[0] - drawn[1]).max() < 12


def test_ages_are_those_of_the_last_minute_also_where_the_mesh_engine_drew_in_it():
    """The faces of an engine that had died an hour ago were still said to be carried over so many milliseconds."""
    counts = Counts()
    for _ in range(100):
        counts.note(0.1)
    counts.note(None)
    found = counts.summary()
    assert (found.shown, found.own, found.age) == (101, 1, (0.1, 0.1))
    for _ in range(1800):
        counts.note(None)
    found = counts.summary()
    assert (found.shown, found.own, found.age) == (1901, 1801, None)
