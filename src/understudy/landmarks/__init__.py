"""Landmarks: the face mesh, what it says of an expression, and a hand's joints inside a known region."""

from understudy.landmarks.base import Landmarker, MeshResult
from understudy.landmarks.blendshapes import BlendshapeModel, with_blendshapes
from understudy.landmarks.facemesh import FaceMesh
from understudy.landmarks.hand import HandFinder

__all__ = ["BlendshapeModel", "FaceMesh", "HandFinder", "Landmarker", "MeshResult", "with_blendshapes"]
