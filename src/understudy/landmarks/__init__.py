"""Landmarks: the face mesh and the irises inside a known region."""

from understudy.landmarks.base import Landmarker, MeshResult
from understudy.landmarks.facemesh import FaceMesh
from understudy.landmarks.iris import IrisFinder

__all__ = ["FaceMesh", "IrisFinder", "Landmarker", "MeshResult"]
