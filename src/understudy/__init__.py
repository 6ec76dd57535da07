"""Understudy: one photo in; that face on the person in front of the camera."""
from understudy.version import __version__
__all__ = ["__version__"]
