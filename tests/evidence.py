"""Whether a file or picture carries what every output must, and what lies in a folder."""

from functools import lru_cache

import numpy as np

from understudy.face import Faces
from understudy.frames import Frame
from understudy.media.files import open_source
from understudy.provenance import Labeller, LabelOptions
from understudy.provenance.credentials import read_credentials


@lru_cache(maxsize=64)
def letters_and_plate(width, height, text, corner, size):
    """Where a label's letters and its plate stand, within the opening and after it: indices of flattened pictures."""
    labeller, found = Labeller(LabelOptions(text=text, corner=corner, later_size=size)), []
    for pts in (0, 9000):
        ground = np.full((height, width, 3), 127, np.uint8)
        labeller.draw(Frame(ground, pts=pts), Faces.empty())
        found.append((np.flatnonzero(ground[:, :, 1] > 230), np.flatnonzero(ground[:, :, 1] < 60)))
    return found


def has_label(picture, text="AI face swap"):
    """Whether the label's letters and plate stand in one of the corners."""
    height, width = picture.shape[:2]
    seen = picture[:, :, 1].ravel()
    for corner in ("bottom-left", "bottom-right", "top-left", "top-right"):
        for size in (0.05, 0.025):
            for letters, plate in letters_and_plate(width, height, text, corner, size):
                if seen[letters].mean() - seen[plate].mean() > 70:
                    return True
    return False


def pictures(path):
    with open_source(path) as source:
        return [frame.picture.copy() for frame in source]


def is_released_honestly(path):
    """Every frame labelled, and signed as it is."""
    seen = pictures(path)
    assert seen
    assert all(has_label(picture) for picture in seen)
    credentials = read_credentials(path, None)
    assert credentials.state == "valid"
    assert credentials.ours
    return True


def left(folder):
    """What is there under a name that a user would take for an output."""
    return sorted(path.name for path in folder.iterdir() if not path.name.startswith("."))
