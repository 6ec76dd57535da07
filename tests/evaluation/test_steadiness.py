"""A still face does not swim, a moving one is not trailed: measured on puppets whose motion is known."""

import pytest
from benchmarks.motion import RAW, TRIALS, filmed, jitter, lag, tracked

from understudy.testing import Motion, Puppet
from understudy.tracking import TrackerOptions

USUAL = TrackerOptions()


@pytest.fixture(scope="module")
def puppet(astronaut):
    return Puppet(astronaut, (480, 360), face_share=0.45)


@pytest.mark.slow
def test_a_still_face_stands_still(perception, puppet):
    frames, _ = filmed(puppet, lambda _: Motion())
    usual, raw = jitter(tracked(perception, frames, USUAL)), jitter(tracked(perception, frames, RAW))
    print(f"jitter: {1000 * usual:.2f} thousandths of the eyes' distance, raw {1000 * raw:.2f}")
    assert usual < 0.002
    assert usual < 0.7 * raw


@pytest.mark.parametrize("trial", TRIALS, ids=lambda trial: trial.name)
@pytest.mark.slow
def test_a_moving_face_is_not_trailed(perception, puppet, trial):
    frames, truth = filmed(puppet, trial.motion)
    late, swing = lag(trial.signal(tracked(perception, frames, USUAL)), trial.signal(truth))
    print(f"{trial.name}: lag {late:.2f} frames, swing {swing:.0%}")
    assert late < 0.6
    assert swing > 0.4
