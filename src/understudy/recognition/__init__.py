"""Recognition: who somebody is, as an embedding."""

from understudy.recognition.arcface import ArcFace, Together, together

__all__ = ["ArcFace", "Together", "together"]
