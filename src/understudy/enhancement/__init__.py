"""Enhancement: what is done to a frame once the faces are in it, and undone by nothing that follows.

``restorers.NeuralRestorer`` and ``upscalers.TiledUpscaler`` are imported from their own modules: they run models.
"""

from understudy.enhancement.base import Restorer, SwappedFace, Upscaler
from understudy.enhancement.enhancer import Enhancer, Enhancers
from understudy.enhancement.options import CLASSICAL, EnhanceOptions, Step

__all__ = ["CLASSICAL", "EnhanceOptions", "Enhancer", "Enhancers", "Restorer", "Step", "SwappedFace", "Upscaler"]
