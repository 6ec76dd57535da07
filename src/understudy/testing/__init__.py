"""Shipped fakes: synthetic clips whose motion is known exactly, made out of public-domain portraits.

For tests, examples and ``understudy demo``; nothing else imports it.
"""

from understudy.testing.camera import FakeCamera
from understudy.testing.clips import ClipSpec, write_clip, write_puppet_clip
from understudy.testing.hand import DrawnHand, with_hand
from understudy.testing.motion import REST, Motion, talking
from understudy.testing.portraits import PORTRAITS, portrait, portrait_path
from understudy.testing.puppet import Puppet, PuppetFrame

__all__ = [
    "PORTRAITS",
    "REST",
    "ClipSpec",
    "DrawnHand",
    "FakeCamera",
    "Motion",
    "Puppet",
    "PuppetFrame",
    "portrait",
    "portrait_path",
    "talking",
    "with_hand",
    "write_clip",
    "write_puppet_clip",
]
