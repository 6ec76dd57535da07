"""Swap a face onto a clip and print where the time went.

python examples/swap_a_clip.py PHOTO CLIP OUTPUT
"""

import sys

import understudy

photo, clip, output = sys.argv[1:4]
report = understudy.swap(source=photo, target=clip, output=output, consent="self", overwrite=True)
print(f"{report.frames_swapped} of {report.frames} frames swapped at {report.fps:.0f} frames a second")
for stage, times in report.stages_ms.items():
    print(f"{stage:9s} {times['p50']:6.2f} ms a frame")
for note in report.notes:
    print("note:", note)
