"""What counts how often it is asked, in front of the real thing."""

from __future__ import annotations


class CountingFits:
    """A landmarker that counts how often it fitted a mesh."""

    def __init__(self, landmarker):
        self._landmarker, self.fits = landmarker, 0
        self.first_roi, self.next_roi = landmarker.first_roi, landmarker.next_roi

    def fit(self, picture, roi):
        self.fits += 1
        return self._landmarker.fit(picture, roi)
