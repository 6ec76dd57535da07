"""Provenance: what makes a swapped picture say that it is one. The visible label, so far."""

from understudy.provenance.label import Labeller, LabelOptions

__all__ = ["LabelOptions", "Labeller"]
