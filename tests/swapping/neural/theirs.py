"""Run by another Python, which has the ``insightface`` package: what InsightFace's own code makes of the same files.

``python theirs.py FOLDER``: reads ``given.npz`` and the ONNX files there, writes ``theirs.npz``.
"""

import sys
from pathlib import Path

import cv2
import numpy as np
from insightface.app.common import Face
from insightface.model_zoo.arcface_onnx import ArcFaceONNX
from insightface.model_zoo.attribute import Attribute
from insightface.model_zoo.inswapper import INSwapper
from insightface.model_zoo.landmark import Landmark
from insightface.model_zoo.retinaface import RetinaFace
from insightface.utils import face_align

folder = Path(sys.argv[1])
given = np.load(folder / "given.npz")
picture, keypoints, photo, photo_keypoints = (
    given[name] for name in ("picture", "keypoints", "photo", "photo_keypoints")
)
made = {}

detector = RetinaFace(str(folder / "det_10g.onnx"))
detector.prepare(-1, input_size=(640, 640), det_thresh=0.5)
made["boxes"], made["keypoints"] = detector.detect(picture)

box = given["box"]
for name in ("2d106det", "1k3d68"):
    face = Face(bbox=box)
    made[name] = Landmark(str(folder / f"{name}.onnx")).get(picture, face)
made["genderage"] = np.array(Attribute(str(folder / "genderage.onnx")).get(picture, Face(bbox=given["small_box"])))

source, target = Face(kps=photo_keypoints), Face(kps=keypoints)
made["embedding"] = ArcFaceONNX(str(folder / "w600k_r50.onnx")).get(photo, source)
swapper = INSwapper(str(folder / "inswapper_128.onnx"))
made["crop"], matrix = face_align.norm_crop2(picture, keypoints, 128)
made["blob"] = cv2.dnn.blobFromImage(made["crop"], 1 / 255, (128, 128), (0, 0, 0), swapRB=True)
latent = np.dot(source.normed_embedding.reshape(1, -1), swapper.emap)
made["latent"] = latent / np.linalg.norm(latent)
made["swapped"], _ = swapper.get(picture, target, source, paste_back=False)
made["pasted"] = swapper.get(picture, target, source, paste_back=True)
np.savez(folder / "theirs.npz", **made)
