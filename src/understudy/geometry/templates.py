"""Where the five keypoints lie in an aligned crop, for each convention of the field.

Order: eye, eye, nose tip, mouth corner, mouth corner; the one on the picture's left first. Values are
fractions of the crop's side, from the reference code of InsightFace (arcface), FFHQ (Karras et al.,
2019), MTCNN and DeepFaceLab (whole face).
"""

from __future__ import annotations

from types import MappingProxyType
from typing import Final

import numpy as np

from understudy.arrays import FloatArray


def _template(side: float, *points: tuple[float, float]) -> FloatArray:
    template = np.array(points, np.float32) / side
    template.flags.writeable = False
    return template


_V2 = ((38.2946, 51.6963), (73.5318, 51.5014), (56.0252, 71.7366), (41.5493, 92.3655), (70.7299, 92.2041))

#: float32 (5, 2) each, in units of the crop's side.
TEMPLATES: Final = MappingProxyType(
    {
        "arcface_112_v1": _template(
            112, (39.730, 51.138), (72.270, 51.138), (56.0, 68.493), (42.463, 87.010), (69.537, 87.010)
        ),
        "arcface_112_v2": _template(112, *_V2),
        "arcface_128": _template(128, *((x + 8, y) for x, y in _V2)),
        "ffhq_512": _template(
            512,
            (192.98138, 239.94708),
            (318.90277, 240.1936),
            (256.63416, 314.01935),
            (201.26117, 371.41043),
            (313.08905, 371.15118),
        ),
        "mtcnn_512": _template(
            1,
            (0.36562865, 0.46733799),
            (0.63305391, 0.46585885),
            (0.50019127, 0.61942959),
            (0.39032951, 0.77598822),
            (0.61178945, 0.77476328),
        ),
        "dfl_whole_face": _template(
            1,
            (0.35342266, 0.39285716),
            (0.62797622, 0.39285716),
            (0.48660713, 0.54017860),
            (0.38839287, 0.68750011),
            (0.59821427, 0.68750011),
        ),
    }
)
