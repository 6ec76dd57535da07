"""What settings alone say of a swap: that nothing of it will be seen."""

from __future__ import annotations

from understudy.casting.cast import PartList, lanes_of
from understudy.casting.person import Person
from understudy.masking import MaskOptions
from understudy.masking.regions import region_map
from understudy.settings import Settings
from understudy.text import listed


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
