"""The pipeline: the one place where the stages are put in order."""

from understudy.pipeline.faces_report import FaceReport, FacesReport
from understudy.pipeline.swap import SwapReport

__all__ = ["FaceReport", "FacesReport", "SwapReport"]
