"""Blending: puts patches into the frame, in the frame's light. The only stage that writes the face."""

from understudy.blending.blender import Blender, BlendOptions

__all__ = ["BlendOptions", "Blender"]
