"""Media: sources that yield frames, and sinks that take labelled frames only.

Imports nothing: a helper process (see ``helpers``) must start in an instant.
"""
