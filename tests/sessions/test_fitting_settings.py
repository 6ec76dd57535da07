"""Which settings a session may have: the same whether it begins with them or is given them while it runs."""

from dataclasses import replace

import pytest

from tests.sessions.stage import Screen, until
from understudy import BlendOptions, GuardOptions, MaskOptions, Settings
from understudy.casting.cast import Part, PartList
from understudy.casting.person import Person
from understudy.errors import UsageError
from understudy.sessions.fitting_settings import changed_while_running, check_settings


@pytest.mark.parametrize("on_lost", ["hold", "blur", "freeze"])
def test_a_part_that_hardly_shows_is_as_little_taken_later_as_at_the_start(hopper_path, on_lost):
    cast = PartList((Part("left", Person((hopper_path,)), strength=0.05),))
    begun = Settings(guard=GuardOptions(on_lost="pass"))
    asked = replace(begun, guard=GuardOptions(on_lost=on_lost))
    check_settings(begun, cast)
    for refused in (lambda: check_settings(asked, cast), lambda: changed_while_running(begun, asked, cast)):
        with pytest.raises(UsageError, match=r"strength must be 0\.5 or more, not 0\.05"):
            refused()


@pytest.mark.slow
def test_a_mask_model_that_it_began_with_is_left_out_and_taken_again(session, shelf):
    screen, masked = Screen(), BlendOptions(mask=MaskOptions(occluders=("xseg_1",)))
    with session(screen, settings=Settings(home=shelf, blend=masked)) as live:
        for blend in (masked, BlendOptions(), masked):
            live.settings = replace(live.settings, blend=blend)
            count = len(screen.seconds)
            until(lambda count=count: len(screen.seconds) > count + 5)
        with pytest.raises(UsageError, match="xseg_2 can't be added"):
            live.settings = replace(live.settings, blend=BlendOptions(mask=MaskOptions(occluders=("xseg_2",))))
