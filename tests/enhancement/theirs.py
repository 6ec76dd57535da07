"""What the authors of restorers and upscalers do around their models, written down anew to compare with.

GFPGAN, CodeFormer and RestoreFormer++ share a helper (facexlib's ``FaceRestoreHelper``): a similarity fitted to five
points, a crop with grey beyond the picture, the crop pasted back whole under a square mask that is eroded and blurred.
Real-ESRGAN's own runner goes over a picture in tiles of which each is seen with some pixels around it.

Pixels count by their centres here, as in all of the field's code: (0, 0) is the middle of the first one.
"""

import cv2
import numpy as np

#: The five keypoints in crops of 512 and of 112 pixels; what lies beyond the picture, BGR.
FFHQ_512 = [[192.98138, 239.94708], [318.90277, 240.1936], [256.63416, 314.01935], [201.26117, 371.41043]]
FFHQ_512 = np.array([*FFHQ_512, [313.08905, 371.15118]])
ARCFACE_112 = np.array(
    [[38.2946, 51.6963], [73.5318, 51.5014], [56.0252, 71.7366], [41.5493, 92.3655], [70.7299, 92.2041]]
)
GREY = (135, 133, 132)


def template(size, aligned="ffhq"):
    """Where the keypoints lie in a crop of ``size`` pixels: FFHQ's, or arcface's of 112 in 128 pixels."""
    return FFHQ_512 * (size / 512) if aligned == "ffhq" else (ARCFACE_112 + np.array([8, 0])) * (size / 128)


def cropped(picture, points, places, size, border=GREY):
    """The aligned crop, and the matrix that makes it."""
    matrix, _ = cv2.estimateAffinePartial2D(points.astype(np.float64), places, method=cv2.LMEDS)
    crop = cv2.warpAffine(picture, matrix, (size, size), borderMode=cv2.BORDER_CONSTANT, borderValue=border)
    return crop, matrix


def restored(session, crop, weight=None):
    """A crop through a graph: RGB, (x / 255 - 0.5) / 0.5, planes first; out cut to -1 to 1, (y + 1) / 2."""
    rgb = cv2.cvtColor(crop, cv2.COLOR_BGR2RGB).astype(np.float32) / 255
    values = {"input": ((rgb - 0.5) / 0.5).transpose(2, 0, 1)[None]}
    if weight is not None:
        values["weight"] = np.array([weight], np.float64)
    given = np.clip(session.run(None, values)[0][0], -1, 1).transpose(1, 2, 0)
    return cv2.cvtColor(((given + 1) / 2 * 255).round().astype(np.uint8), cv2.COLOR_RGB2BGR)


def pasted(picture, face, matrix, factor=1, beside=0.5):
    """A restored crop back in its picture, ``factor`` times as large (float32, 0-255), and how far it shows (0-1).

    They cut decimals off, which are kept here; and they shift what is enlarged by half a factor, ``beside`` of one.
    """
    size = (picture.shape[1] * factor, picture.shape[0] * factor)
    back = cv2.invertAffineTransform(matrix) * factor
    if factor > 1:
        back[:, 2] += beside * factor
        picture = cv2.resize(picture, size, interpolation=cv2.INTER_LINEAR)
    drawn = cv2.warpAffine(face, back, size)
    square = cv2.warpAffine(np.ones(face.shape[:2], np.float32), back, size)
    square = cv2.erode(square, np.ones((2 * factor, 2 * factor), np.uint8))
    edge = int(square.sum() ** 0.5) // 20
    inner = cv2.erode(square, np.ones((2 * edge, 2 * edge), np.uint8))
    shown = cv2.GaussianBlur(inner, (2 * edge + 1, 2 * edge + 1), 0)
    weight = shown[:, :, None]
    return weight * square[:, :, None] * drawn + (1 - weight) * picture, shown


def enlarged(session, picture, scale, tile, pad=10):
    """A picture through an upscaler: RGB, / 255, in tiles that are seen with ``pad`` more pixels, if there are any."""
    rgb = cv2.cvtColor(picture, cv2.COLOR_BGR2RGB).astype(np.float32) / 255
    rgb = np.pad(rgb, ((0, pad), (0, pad), (0, 0)), "reflect")
    height, width = rgb.shape[:2]
    large = np.zeros((height * scale, width * scale, 3), np.float32)
    for top in range(0, height, tile):
        for left in range(0, width, tile):
            bottom, right = min(top + tile, height), min(left + tile, width)
            above, before = min(pad, top), min(pad, left)
            seen = rgb[top - above : bottom + pad, left - before : right + pad]
            given = session.run(None, {"input": seen.transpose(2, 0, 1)[None]})[0][0].transpose(1, 2, 0)
            rows = slice(above * scale, (above + bottom - top) * scale)
            columns = slice(before * scale, (before + right - left) * scale)
            large[top * scale : bottom * scale, left * scale : right * scale] = given[rows, columns]
    large = large[: picture.shape[0] * scale, : picture.shape[1] * scale]
    return cv2.cvtColor((np.clip(large, 0, 1) * 255).round().astype(np.uint8), cv2.COLOR_RGB2BGR)
