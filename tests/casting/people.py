"""Faces without a camera: whose each is, its colour says, and an embedder that reads it."""

from fractions import Fraction

import numpy as np

from understudy.casting.recognising import RecognisingOptions
from understudy.casting.visible import VisibleOptions
from understudy.face import Faces
from understudy.frames import Frame
from understudy.geometry.boxes import bounds_xyxy
from understudy.geometry.topology import topology

#: Any face of 40 pixels counts, however flat its colour.
OPTIONS = RecognisingOptions(visible=VisibleOptions(sharpness=0))


class Colours:
    """An ``Embedder``: a face's blue and green, one person's less than 50 apart."""

    name, same_person = "colours", 50.0

    def __init__(self):
        self.asked = 0

    def embed(self, picture, faces):
        self.asked += len(faces)
        middles = faces.mesh[:, :, :2].mean(axis=1).astype(int)
        found = np.array([picture[y, x, :2] for x, y in middles], np.float32).reshape(-1, 2)
        found[(found == 255).all(axis=1)] = np.nan  # of white faces nothing is seen
        return found

    def distances(self, one, many):
        return np.asarray(np.linalg.norm(many - one, axis=1), np.float32)


def face_at(x, y=100, height=80):
    """A mesh that looks ahead."""
    mesh = topology().canonical.copy()
    mesh -= (mesh.min(0) + mesh.max(0)) / 2
    return (mesh * (height / np.ptp(mesh[:, 1])) + np.array([x, y, 0])).astype(np.float32)


class Film:
    """Shows people to a recogniser, frame by frame, at 25 a second."""

    def __init__(self, recogniser):
        self.recogniser, self.number, self.last = recogniser, 0, None

    def show(self, *people, frames=1, busy=False):
        """Show people for some frames: track, x, blue and green, and height of each; the last frame's ids."""
        for _ in range(frames):
            picture = np.full((240, 640, 3), 128, np.uint8)
            meshes = np.array([face_at(one[1], height=one[3] if len(one) > 3 else 80) for one in people], np.float32)
            for (_, x, colours, *_), mesh in zip(people, meshes, strict=True):
                half = int(np.ptp(mesh[:, 1])) // 2
                picture[100 - half : 100 + half, x - half : x + half, :2] = colours
                picture[100 - half : 100, x - half : x + half, 2] = 200  # no face is one grey
            faces = Faces.empty()
            if people:
                tracks = np.array([one[0] for one in people])
                faces = Faces(bounds_xyxy(meshes), np.ones(len(people)), mesh=meshes, track_ids=tracks)
            frame = Frame(picture, pts=self.number, time_base=Fraction(1, 25))
            self.last = self.recogniser.update(frame, faces, busy=busy)
            self.number += 1
        ids = self.last.faces.person_ids
        return [] if ids is None else ids.tolist()
