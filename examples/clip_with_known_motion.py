"""Make a clip whose motion is known exactly, and measure how well the tracker follows it.

python examples/clip_with_known_motion.py
"""

import numpy as np

from understudy import Frame, Perception, TrackerOptions
from understudy.testing import Puppet, portrait, talking

puppet = Puppet(portrait("astronaut"), size=(640, 480), face_share=0.5)
tracker = Perception.embedded().tracker(TrackerOptions())

errors = []
for number in range(30):
    shot = puppet.render(talking(number / 30))
    result = tracker.update(Frame(shot.picture, pts=number * 33))
    mesh = result.faces.mesh[0]
    errors.append(np.linalg.norm(mesh[:, :2] - shot.mesh[:, :2], axis=1).mean())
print(f"mean error {np.mean(errors):.2f} pixels on a face {np.ptp(shot.mesh[:, 0]):.0f} pixels wide")
