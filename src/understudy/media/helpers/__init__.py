"""The processes that live media use: coding, sending, receiving, showing.

What runs in one imports PyAV and little else: it must start in an instant. ``process`` is this side of them.
"""
