"""Swapping: engines that turn an identity and a frame's faces into patches."""

from understudy.swapping.base import Identity, Portrait, Renderer, Swapper
from understudy.swapping.mesh.engine import MeshEngine, MeshOptions

__all__ = ["Identity", "MeshEngine", "MeshOptions", "Portrait", "Renderer", "Swapper"]
