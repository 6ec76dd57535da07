"""The embedded models: one for all threads, and what is said of one that is missing or damaged."""

from concurrent.futures import ThreadPoolExecutor
from contextlib import nullcontext
from threading import Barrier

import numpy as np
import pytest

from understudy.errors import ModelError
from understudy.models import runtime
from understudy.models.embedded_onnx import OnnxModel
from understudy.models.runtime import LiteModel


def test_a_model_gives_each_thread_its_own_answer():
    model = LiteModel("face_landmarks_detector.tflite")
    width, height = model.input_size
    pictures = [np.random.default_rng(seed).random((height, width, 3), np.float32) for seed in range(4)]
    alone = [model.run(picture) for picture in pictures]
    together = Barrier(4)

    def run(number):
        together.wait(10)
        return [model.run(pictures[number]) for _ in range(5)]

    with ThreadPoolExecutor(4) as pool:
        for number, answers in enumerate(pool.map(run, range(4))):
            for answer in answers:
                assert answer.keys() == alone[number].keys()
                for name, values in answer.items():
                    assert np.array_equal(values, alone[number][name])


@pytest.mark.parametrize("kind", [LiteModel, OnnxModel])
def test_a_model_that_is_missing_or_damaged_is_told_with_what_to_do(kind, tmp_path, monkeypatch):
    with pytest.raises(ModelError, match=r"without its embedded model gone\.file") as told:
        kind("gone.file")
    assert "pip" in told.value.hint
    damaged = tmp_path / "damaged.file"
    damaged.write_bytes(b"half a model")
    monkeypatch.setattr(runtime, "embedded_file", lambda name: nullcontext(damaged))
    with pytest.raises(ModelError, match=r"damaged\.file does not open") as told:
        kind("damaged.file")
    assert "pip" in told.value.hint
    assert "\n" not in told.value.message
