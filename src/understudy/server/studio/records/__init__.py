"""The Records room."""
