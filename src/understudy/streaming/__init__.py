"""Coding and sending of live output. Imports PyAV and nothing else: a process of its own must start in an instant."""
