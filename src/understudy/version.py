"""The version, read by the build and by `understudy --version`."""

__version__ = "0.1.0"
