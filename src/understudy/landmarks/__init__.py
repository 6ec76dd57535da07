"""Landmarks: the face mesh, the irises and a hand's joints inside a known region."""

from understudy.landmarks.base import Landmarker, MeshResult
from understudy.landmarks.facemesh import FaceMesh
from understudy.landmarks.hand import HandFinder
from understudy.landmarks.iris import IrisFinder

__all__ = ["FaceMesh", "HandFinder", "IrisFinder", "Landmarker", "MeshResult"]
