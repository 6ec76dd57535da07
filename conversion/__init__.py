"""Turns what other packages carry into what this one does, when it is built. Needs nothing but Python itself."""
