"""The ruler: measures how good an engine's swaps are. Nothing that swaps imports it."""

from understudy.evaluation.embedders import open_embedder
from understudy.evaluation.report import Report
from understudy.evaluation.runner import EvaluationOptions, evaluate

__all__ = ["EvaluationOptions", "Report", "evaluate", "open_embedder"]
