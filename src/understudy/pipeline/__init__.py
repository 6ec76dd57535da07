"""The pipeline: the one place where the stages are put in order."""

from understudy.pipeline.perception import Perception
from understudy.pipeline.survey import FaceReport, SurveyReport, survey_file
from understudy.pipeline.swap import SwapReport, swap_file
from understudy.settings import Settings

__all__ = [
    "FaceReport",
    "Perception",
    "Settings",
    "SurveyReport",
    "SwapReport",
    "survey_file",
    "swap_file",
]
