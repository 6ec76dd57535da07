"""Models: the ones that the package carries, and what opens and runs them."""
