"""Makes the golden pictures: ``python -m tests.swapping.mesh.golden_pictures``. Look at them before committing."""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np

from understudy.face import Faces
from understudy.frames import Frame
from understudy.guard import unguarded
from understudy.pipeline.compositing import Compositing
from understudy.swapping import MeshEngine
from understudy.testing import REST, Motion

SCENES = {
    "hopper-on-astronaut": ("hopper", "astronaut", REST),
    "hopper-on-astronaut-turned": ("hopper", "astronaut", Motion(yaw=16, pitch=4, mouth=0.6)),
    "astronaut-on-hopper-blink": ("astronaut", "hopper", Motion(blink=1, roll=6)),
}


def pictures(sources, puppets):
    """The scenes' faces, 160 x 160."""
    engine, result = MeshEngine(), {}
    for name, (source, target, motion) in SCENES.items():
        shot = puppets[target].render(motion)
        frame = Frame(shot.picture.copy())
        faces = Faces(boxes_xyxy=np.zeros((1, 4)), mesh=shot.mesh[None], track_ids=np.array([1]))
        Compositing().compose(
            unguarded(frame), engine.renderer().render(frame, faces, {1: engine.identity([sources[source]])})
        )
        x, y = shot.mesh[:, :2].mean(0).astype(int)
        part = frame.picture[max(0, y - 150) : y + 150, max(0, x - 150) : x + 150]
        result[name] = cv2.resize(part, (160, 160), interpolation=cv2.INTER_AREA)
    return result


def main():
    from understudy import Perception
    from understudy.casting.portraits import portrait_in
    from understudy.testing import Puppet, portrait

    perception = Perception.embedded()
    names = ("astronaut", "hopper")
    sources = {name: portrait_in(portrait(name), name, perception, None)[0] for name in names}
    puppets = {name: Puppet(portrait(name), (480, 480), face_share=0.5) for name in names}
    for name, picture in pictures(sources, puppets).items():
        cv2.imwrite(str(Path(__file__).parent / "golden" / f"{name}.png"), picture)


if __name__ == "__main__":
    main()
