"""Masking: where a patch is seen: what stays in front of the face, and which parts of it are swapped."""

from understudy.masking.masks import Masking
from understudy.masking.occlusion import OcclusionOptions
from understudy.masking.options import MaskOptions

__all__ = ["MaskOptions", "Masking", "OcclusionOptions"]
