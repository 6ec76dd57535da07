"""Blending: puts patches into the frame, in the frame's light. The only stage that writes the face."""

from understudy.blending.blender import Blender
from understudy.blending.detail import DetailOptions
from understudy.blending.light import LightOptions
from understudy.blending.lighting import Lighting
from understudy.blending.tinting import tint

__all__ = ["Blender", "DetailOptions", "LightOptions", "Lighting", "tint"]
