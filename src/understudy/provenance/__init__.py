"""Provenance: consent before, label and mark in every frame, signature and ledger after, and a way to check it all."""

from understudy.provenance.content import ContentClassifier, ContentOptions
from understudy.provenance.label import Labeller, LabelOptions
from understudy.provenance.records.consent import Consent, ConsentClaim, Consents
from understudy.provenance.records.home import Home
from understudy.provenance.records.keys import SigningOptions
from understudy.provenance.records.ledger import Ledger
from understudy.provenance.sealing import FrameSealer
from understudy.provenance.watermark import WatermarkOptions

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
