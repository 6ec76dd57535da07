"""What a model's waiting threads take from what follows it: ``python -m benchmarks.spinning [--rounds N]``.

ONNX Runtime's threads wait for the next run in a busy loop. A small twin runs with three settings of that, alternating,
and after each run there is other work (blurs); medians of both are printed. Understudy uses the last.
"""

from __future__ import annotations

import argparse
import statistics
import time

import cv2
import numpy as np

from understudy.models.onnx_runtime import ort
from understudy.testing import twins

#: Of ONNX Runtime's session options, by what they do.
SETTINGS = {
    "as it comes": (),
    "no busy waiting at all": (("session.intra_op.allow_spinning", "0"),),
    "stopped after each run": (("session.force_spinning_stop", "1"),),
}


def main() -> None:
    """Run the comparison."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=30)
    rounds = parser.parse_args().rounds
    data, random = twins.inswapper_twin((16, 32, 64, 128)), np.random.default_rng(0)
    given = {
        "target": random.random((1, 3, 128, 128), np.float32),
        "source": random.random((1, 512), np.float32),
    }
    picture = random.integers(0, 255, (1080, 1920, 3), np.uint8)
    sessions = {}
    for name, entries in SETTINGS.items():
        options = ort.SessionOptions()
        options.log_severity_level = 4
        for key, value in entries:
            options.add_session_config_entry(key, value)
        sessions[name] = ort.InferenceSession(data, options, providers=["CPUExecutionProvider"])
    times: dict[str, list[tuple[float, float]]] = {name: [] for name in sessions}
    for _ in range(rounds):
        for name, session in sessions.items():
            begin = time.perf_counter()
            session.run(None, given)
            middle = time.perf_counter()
            for _ in range(4):
                cv2.GaussianBlur(picture, (0, 0), 3)
            times[name].append((middle - begin, time.perf_counter() - middle))
    for name, taken in times.items():
        run, after = (1000 * statistics.median(part) for part in zip(*taken, strict=True))
        print(f"{name:24s} the model {run:6.1f} ms, what follows it {after:6.1f} ms")


if __name__ == "__main__":
    main()
