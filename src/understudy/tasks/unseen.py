"""What settings alone say of a swap: that nothing of it will be seen, or that something was set for nothing."""

from __future__ import annotations

from typing import Final

from understudy.casting.cast import PartList, enhancements_of, lanes_of
from understudy.casting.person import Person
from understudy.masking import MaskOptions
from understudy.masking.regions import region_map
from understudy.settings import Settings
from understudy.text import listed

#: The restorer that asks how true it is to stay.
_WEIGHED: Final = "codeformer"


def unheeded(cast: Person | PartList, settings: Settings) -> tuple[str, ...]:
    """Which options were given that nothing asks for.

    Args:
        cast: Whose face; or who gets whose.
        settings: How.
    """
    usual, found = Settings(), []
    if settings.frame.fit != usual.frame.fit and settings.frame.shape == usual.frame.shape:
        found.append(
            "--frame-fit is not heeded: all of the picture is written as it is; --frame gives it another shape"
        )
    every = [each.enhance for each in (settings, *lanes_of(settings))]
    names = {step.name for enhance in (*every, *enhancements_of(cast)) for step in enhance.parsed}
    if any(one.weight != usual.enhance.weight for one in every) and not any(_WEIGHED in name for name in names):
        found.append(f"--enhance-weight is not heeded: {_WEIGHED} is none of the steps, and no other asks for it")
    return tuple(found)


def unseen(cast: Person | PartList, settings: Settings) -> tuple[str, ...]:
    """That nothing of the swap is shown, and why, where that is certain for everybody and all of the target.

    It is none of the user's errors: whoever tries strengths may come by 0. But "swapped" alone would not be true.

    Args:
        cast: Whose face; or who gets whose.
        settings: How.
    """
    if settings.blend.show == "mask":  # what would be swapped is shown, and not the swap
        return ()
    parts = [part for _, part in cast.used] if isinstance(cast, PartList) else (None,)
    reasons: list[str] = []
    for each in (settings, *lanes_of(settings)):
        for part in parts:
            strength, mask = each.blend.strength, each.blend.mask
            if part is not None:
                strength = strength if part.strength is None else part.strength
                mask = part.mask or mask
            reasons.append("the strength is 0" if strength == 0 else _masked(mask))
    if not reasons or not all(reasons):
        return ()
    return (f"nothing of the swap is shown: {listed(list(dict.fromkeys(reasons)))}",)


def _masked(mask: MaskOptions) -> str:
    """Why a mask shows nothing; empty if it may show something."""
    shown = region_map(mask.regions, mask.keep, mask.feather, mask.strength)
    if shown is None or shown.any():
        return ""
    return f"of the face only {listed(mask.regions)} would be swapped, and all of that stays the target's own"
