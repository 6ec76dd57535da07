"""The Models room."""
