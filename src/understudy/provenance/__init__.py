"""Provenance: consent before, label and mark in every frame, signature and ledger after, and a way to check it all."""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from understudy.provenance.content import ContentClassifier, ContentOptions
    from understudy.provenance.label import Labeller, LabelOptions
    from understudy.provenance.records.consent import Consent, ConsentClaim
    from understudy.provenance.records.consent_store import Consents
    from understudy.provenance.records.home import Home
    from understudy.provenance.records.keys import SigningOptions
    from understudy.provenance.records.ledger import Ledger
    from understudy.provenance.sealing import FrameSealer
    from understudy.provenance.watermark import WatermarkOptions

#: Where each name is: looked up when it is first used, for who reads records needs nothing of what draws labels.
_MODULES = {
    "Consent": "records.consent",
    "ConsentClaim": "records.consent",
    "Consents": "records.consent_store",
    "ContentClassifier": "content",
    "ContentOptions": "content",
    "FrameSealer": "sealing",
    "Home": "records.home",
    "LabelOptions": "label",
    "Labeller": "label",
    "Ledger": "records.ledger",
    "SigningOptions": "records.keys",
    "WatermarkOptions": "watermark",
}

__all__ = [
    "Consent",
    "ConsentClaim",
    "Consents",
    "ContentClassifier",
    "ContentOptions",
    "FrameSealer",
    "Home",
    "LabelOptions",
    "Labeller",
    "Ledger",
    "SigningOptions",
    "WatermarkOptions",
]


def __getattr__(name: str) -> object:
    if name not in _MODULES:
        raise AttributeError(f"module 'understudy.provenance' has no attribute {name!r}")
    return getattr(import_module(f"understudy.provenance.{_MODULES[name]}"), name)
