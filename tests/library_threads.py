"""How many threads OpenCV and numpy use, of which a process has one setting each."""

import cv2
import pytest
from threadpoolctl import threadpool_info, threadpool_limits


def library_threads():
    """How many each of them uses: OpenCV's, and those of every BLAS that is loaded."""
    return {cv2.getNumThreads(), *(library["num_threads"] for library in threadpool_info())}


@pytest.fixture
def three_library_threads():
    """As many as no machine's cores and no code here would choose."""
    before = cv2.getNumThreads()
    cv2.setNumThreads(3)
    with threadpool_limits(3, user_api="blas"):
        yield
    cv2.setNumThreads(before)
