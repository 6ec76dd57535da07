"""The Check room."""
