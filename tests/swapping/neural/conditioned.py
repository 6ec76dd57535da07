"""What tests of the swapper with kernels share."""

from understudy.models.catalogue import OWN_FILE, Catalogue
from understudy.models.store import FOLDER, Store
from understudy.settings import Settings
from understudy.swapping.neural.options import NeuralOptions
from understudy.testing.opened import engine_of

ENGINE = "mobilefaceswap_224"


def engine_in(home, neural=None):
    """The engine with the models of a private folder."""
    return engine_of(Settings(engine=ENGINE, home=home, neural=neural or NeuralOptions()))


def store_of(home):
    """The models of a private folder."""
    return Store(home / FOLDER, Catalogue.load(home / OWN_FILE))
