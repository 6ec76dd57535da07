"""The embedded models: one for all threads."""

from concurrent.futures import ThreadPoolExecutor
from threading import Barrier

import numpy as np

from understudy.models.runtime import LiteModel


def test_a_model_gives_each_thread_its_own_answer():
    model = LiteModel("face_landmark.tflite")
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
