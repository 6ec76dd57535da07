"""The room in which one goes live."""
