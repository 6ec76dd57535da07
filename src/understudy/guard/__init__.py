"""Fails closed: what may be the face of somebody who should be swapped, and is not, is covered."""

from understudy.guard.cover import Cover
from understudy.guard.guard import Guard, hide_all
from understudy.guard.options import ON_LOST, GuardOptions, OnLost
from understudy.guard.unguarded import unguarded

__all__ = ["ON_LOST", "Cover", "Guard", "GuardOptions", "OnLost", "hide_all", "unguarded"]
