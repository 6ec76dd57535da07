"""Recognition: who somebody is, as an embedding.

``arcface.ArcFace`` and ``identity.IdentityNetwork`` are imported from their own modules: the first reads the catalogue,
the second is what swaps must not ask by the way.
"""

from understudy.recognition.base import Embedder, with_embeddings

__all__ = ["Embedder", "with_embeddings"]
