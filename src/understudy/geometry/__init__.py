"""Boxes, similarity transforms, alignment templates and the face mesh: pure functions and constants."""
