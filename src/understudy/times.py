"""Times of a clip as people write them: seconds, or hours, minutes and seconds with colons between."""

from __future__ import annotations

import re
from typing import Final

#: A frame or a sound that begins less than so many seconds before a time begins at it: half of the least that frames
#: are apart. Times are rounded when they are written, and frames begin at fractions.
NEAR: Final = 0.001
#: No time is beyond so many seconds: 11 days.
MOST: Final = 1e6
_FORM: Final = re.compile(
    r"(?:(?:(?P<hours>\d{1,3}):)?(?P<minutes>\d{1,3}):)?(?P<seconds>\d{1,7}(?:\.\d{0,9})?)", re.ASCII
)


def seconds_of(written: float | str) -> float:
    """A time in seconds.

    Args:
        written: Seconds, as a number or a word, or ``[HOURS:]MINUTES:SECONDS``.

    Raises:
        ValueError: it is none.

    >>> seconds_of("1:02.5")
    62.5
    """
    if isinstance(written, str):
        found = _FORM.fullmatch(written.strip())
        if found is None:
            raise ValueError(f"a time is seconds, or [hours:]minutes:seconds such as 1:02.5, not {written!r}")
        hours, minutes, seconds = (found[name] or 0 for name in ("hours", "minutes", "seconds"))
        if (found["minutes"] is not None and float(seconds) >= 60) or (
            found["hours"] is not None and int(minutes) > 59
        ):
            raise ValueError(f"an hour has 60 minutes and a minute 60 seconds: {written!r} is no time")
        written = int(hours) * 3600 + int(minutes) * 60 + float(seconds)
    if isinstance(written, bool) or not 0 <= written <= MOST:
        raise ValueError(f"a time is 0 to {MOST:.0f} seconds, not {written}")
    return float(written)


def clock(seconds: float) -> str:
    """A time as people write it, to a thousandth of a second.

    >>> clock(62.5)
    '1:02.5'
    """
    thousandths = round(seconds * 1000)
    minutes, rest = divmod(thousandths, 60_000)
    hours, minutes = divmod(minutes, 60)
    text = f"{rest // 1000:02}.{rest % 1000:03}".rstrip("0").rstrip(".")
    return f"{hours}:{minutes:02}:{text}" if hours else f"{minutes}:{text}"
