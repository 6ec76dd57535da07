"""The pipeline: the one place where the stages are put in order."""

from understudy.pipeline.survey import FaceReport, SurveyReport
from understudy.pipeline.swap import SwapReport

__all__ = ["FaceReport", "SurveyReport", "SwapReport"]
