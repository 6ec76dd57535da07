"""Recognition: who somebody is, as an embedding.

``identity.IdentityNetwork`` is imported from its own module: what swaps must not do so by the way.
"""

from understudy.recognition.arcface import ArcFace, Together, together
from understudy.recognition.base import Embedder, with_embeddings

__all__ = ["ArcFace", "Embedder", "Together", "together", "with_embeddings"]
