"""Writes small networks of FaceRes's family as TensorFlow.js has them, and computes what they answer."""

import json

import numpy as np

from understudy.evaluation.faceres_network import Layout

#: A small network: pictures of an even side are halved, and of an odd one.
SMALL = Layout(side=28, stem=4, blocks=((5, False), (6, True), (8, True), (8, False)))


def same(picture, filters, step, *, each):
    """TensorFlow's convolution with the padding SAME: (rows, columns, channels), and what is odd goes to the end."""
    rows, columns, _ = picture.shape
    size = filters.shape[0]
    pads = []
    for length in (rows, columns):
        total = max((-(-length // step) - 1) * step + size - length, 0)
        pads.append((total // 2, total - total // 2))
    padded = np.pad(picture, (*pads, (0, 0)))
    windows = np.lib.stride_tricks.sliding_window_view(padded, (size, size), (0, 1))[::step, ::step]
    if each:
        return np.einsum("rcdij,ijd->rcd", windows, filters[..., 0])
    return np.einsum("rcdij,ijdo->rco", windows, filters)


class SmallFaceRes:
    """A network of the layout ``SMALL``: as a pair of files, and as what it computes in NumPy."""

    def __init__(self, seed=0):
        rng = np.random.default_rng(seed)

        def some(*shape, reach=0.5):
            return rng.uniform(-reach, reach, shape).astype(np.float16)

        channels = SMALL.stem
        self.weights = {
            "conv1/convolution/merged_input": some(3, 3, 3, channels, reach=0.004),
            "conv1_bn/batchnorm_1/sub": some(channels),
        }
        for number, (outputs, _) in enumerate(SMALL.blocks, 1):
            self.weights |= {
                f"conv_dw_{number}/depthwise_kernel": some(3, 3, channels, 1, reach=1),
                f"conv_dw_{number}_bn/batchnorm_1/mul": some(channels) + np.float16(1),
                f"conv_dw_{number}_bn/batchnorm_1/sub": some(channels),
                f"conv_pw_{number}/convolution/merged_input": some(1, 1, channels, outputs, reach=1),
                f"conv_pw_{number}_bn/batchnorm_1/sub": some(outputs),
            }
            channels = outputs
        self.weights["age_pred/bias"] = some(3)  # what else the file has is passed over

    def written(self, folder, **change):
        """``faceres.json``, with its weights beside it."""
        listed = [
            {"name": name, "shape": list(values.shape), "dtype": "float32", "quantization": {"dtype": "float16"}}
            for name, values in self.weights.items()
        ]
        data = b"".join(values.tobytes() for values in self.weights.values())
        group = {"paths": ["faceres.bin"], "weights": listed} | change
        (folder / "faceres.bin").write_bytes(data)
        path = folder / "faceres.json"
        path.write_text(json.dumps({"format": "graph-model", "weightsManifest": [group]}))
        return path

    def run(self, picture):
        """The embedding of a picture, (side, side, 3), its means taken off."""
        w = {name: values.astype(np.float64) for name, values in self.weights.items()}

        def bounded(values):
            return np.clip(values, 0, 6)

        x = same(picture, w["conv1/convolution/merged_input"], 2, each=False) + w["conv1_bn/batchnorm_1/sub"]
        x = bounded(x)
        for number, (_, halves) in enumerate(SMALL.blocks, 1):
            deep, flat = f"conv_dw_{number}", f"conv_pw_{number}"
            x = same(x, w[f"{deep}/depthwise_kernel"], 2 if halves else 1, each=True)
            x = bounded(x * w[f"{deep}_bn/batchnorm_1/mul"] + w[f"{deep}_bn/batchnorm_1/sub"])
            x = same(x, w[f"{flat}/convolution/merged_input"], 1, each=False)
            x = bounded(x + w[f"{flat}_bn/batchnorm_1/sub"])
        return x.mean(axis=(0, 1))
