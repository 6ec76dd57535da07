"""What is opened once and shared: the private folder, keys, the ledger, models."""

from understudy.resources.models import Models
from understudy.resources.perception import Perception
from understudy.resources.shared import Resources
from understudy.resources.trust import Output, Trust

__all__ = ["Models", "Output", "Perception", "Resources", "Trust"]
