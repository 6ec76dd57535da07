"""OpenCV's number of threads, which a process has one of."""

import cv2
import pytest


@pytest.fixture
def three_opencv_threads():
    """As many as no machine's cores and no code here would choose."""
    before = cv2.getNumThreads()
    cv2.setNumThreads(3)
    yield
    cv2.setNumThreads(before)
