"""Twins: graphs of the same architecture, input names and sizes as the models of the field, with weights made here.

They swap nobody's face. They are what conventions, speed and conformity are tested with where the real files can't be
had; ``swapper_twin`` and its like have answers that are known in closed form.
"""

from __future__ import annotations

from understudy.testing.twins.answers import (
    CENTERFACE_POINTS,
    arcface_twin,
    centerface_twin,
    classifier_twin,
    converter_twin,
    known_tint,
    occluder_twin,
    parser_twin,
    planted_twin,
    points_twin,
    swapper_twin,
)
from understudy.testing.twins.architectures import (
    INSWAPPER,
    SCRFD_ENDS,
    arcface_r50_twin,
    inswapper_twin,
    landmark_106_twin,
    scrfd_10g_twin,
    scrfd_answers,
)
from understudy.testing.twins.conditioned import (
    SIDE,
    conditioner_twin,
    generator_twin,
    identity_twin,
    kernel_shapes,
    known_mask,
)
from understudy.testing.twins.enhancing import known_pattern, restorer_twin, upscaler_twin
from understudy.testing.twins.writer import GraphWriter

__all__ = [
    "CENTERFACE_POINTS",
    "INSWAPPER",
    "SCRFD_ENDS",
    "SIDE",
    "GraphWriter",
    "arcface_r50_twin",
    "arcface_twin",
    "centerface_twin",
    "classifier_twin",
    "conditioner_twin",
    "converter_twin",
    "generator_twin",
    "identity_twin",
    "inswapper_twin",
    "kernel_shapes",
    "known_mask",
    "known_pattern",
    "known_tint",
    "landmark_106_twin",
    "occluder_twin",
    "parser_twin",
    "planted_twin",
    "points_twin",
    "restorer_twin",
    "scrfd_10g_twin",
    "scrfd_answers",
    "swapper_twin",
    "upscaler_twin",
]
