"""A form for consent in writing: what the person signs whose face it is."""

from __future__ import annotations

import datetime as dt


def a_year_from(today: dt.date) -> dt.date:
    """The same day of the next year."""
    year = min(today.year + 1, dt.MAXYEAR)
    return today.replace(year=year) if (today.month, today.day) != (2, 29) else today.replace(year=year, day=28)


def written_form(today: dt.date) -> str:
    """A form for consent in writing, as Markdown: to be filled in, signed and kept by both."""
    lines = "_" * 48
    return f"""# Consent to the use of my face

I, {lines} (name),
born on ____________________ (I am 18 or older),

allow {lines} (name of the user)

to put my face, taken from these photos:

    {lines}

into   [ ] pictures   [ ] videos   [ ] live output, and recordings of it
for this purpose: {lines}
until (date; a year from today is {a_year_from(today)}): ____________________

I know that
- the result is made with software, carries a visible label and an invisible mark, and is signed as such;
- my photos stay on the user's machine;
- I may revoke this consent at any time, in writing; the user then removes what is kept of my face and makes nothing
  new with it. What has been published until then is to be taken down where the user can do so.

Not allowed in any case: intimate or degrading pictures, pretending that I said or did something as fact, passing an
identity check, and any use of the face of a person under 18.

Place, date: {lines}

Signature:   {lines}
"""
