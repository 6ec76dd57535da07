"""What the authors of XSeg and BiSeNet do around their models, and FaceFusion with what they say, written down anew.

Pixels count by their centres, as in all of the field's code: (0, 0) is the middle of the first one.
"""

import cv2
import numpy as np

from tests.enhancement.theirs import cropped as align

#: The parts that CelebAMask-HQ tells apart, in the order of face-parsing.PyTorch's classes.
_ON_THE_FACE = ["background", "skin", "l_brow", "r_brow", "l_eye", "r_eye", "eye_g", "l_ear", "r_ear", "ear_r", "nose"]
PARTS = [*_ON_THE_FACE, "mouth", "u_lip", "l_lip", "neck", "neck_l", "cloth", "hair", "hat"]
#: The five keypoints in a crop of DeepFaceLab's whole face, as shares of its side.
WHOLE_FACE = np.array(
    [
        [0.35342266, 0.39285716],
        [0.62797622, 0.39285716],
        [0.48660713, 0.54017860],
        [0.38839287, 0.68750011],
        [0.59821427, 0.68750011],
    ]
)
#: Of ImageNet's pictures, RGB.
MEAN, SPREAD = np.array([0.485, 0.456, 0.406], np.float32), np.array([0.229, 0.224, 0.225], np.float32)
#: Spread of the blur in FaceFusion's crop, in pixels, where the crop has 512 along a side.
BLUR, SIDE = 5, 512


def cropped(picture, points, places, size):
    """The aligned crop, black beyond the picture, and the matrix that makes it."""
    return align(picture, points, places, size, (0, 0, 0))


def occlusion(session, crop):
    """What XSeg sees: BGR, / 255, colours last; cut to 0-1, and what is below a tenth is noise: float32 (S, S)."""
    given = session.run(None, {"input": (crop.astype(np.float32) / 255)[None]})[0]
    seen = np.clip(given, 0, 1).reshape(crop.shape[:2])
    return np.where(seen < 0.1, np.float32(0), seen)


def parsed(session, crop):
    """The class of each pixel, by BiSeNet: RGB, / 255, ImageNet's mean and spread, planes first; output 0."""
    rgb = (cv2.cvtColor(crop, cv2.COLOR_BGR2RGB).astype(np.float32) / 255 - MEAN) / SPREAD
    return session.run(None, {"input": rgb.transpose(2, 0, 1)[None].astype(np.float32)})[0].argmax(axis=1)[0]


def chosen(classes, names):
    """Where one of some parts is: float32 (S, S), 0 or 1."""
    return np.isin(classes, [PARTS.index(name) for name in names]).astype(np.float32)


def softened(mask):
    """With an edge that falls off inwards, at 512 pixels: float32 (512, 512), 0-1."""
    large = cv2.resize(mask, (SIDE, SIDE))
    return (np.clip(cv2.GaussianBlur(large, (0, 0), BLUR), 0.5, 1) - 0.5) * 2


def in_the_frame(mask, matrix, crop, size):
    """A softened mask of a crop of so many pixels where its frame, of a width and a height, has the face."""
    scaled = cv2.warpAffine(cv2.resize(mask, (crop, crop)), cv2.invertAffineTransform(matrix), size)
    return np.clip(scaled, 0, 1)
