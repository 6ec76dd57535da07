"""Masking: what stays in front of a face, and so in front of the patch that is put over it."""

from understudy.masking.masks import Masking
from understudy.masking.occlusion import OcclusionOptions

__all__ = ["Masking", "OcclusionOptions"]
