"""The page: a frame with rooms in it. To add one: a folder with its desk and its page, and a line in ``rooms.py``."""
