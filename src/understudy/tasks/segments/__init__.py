"""Clips that are worked in segments: planned once, each segment by itself, anywhere and in any order, and joined."""
