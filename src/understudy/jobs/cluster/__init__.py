"""Segments of many jobs on many machines, with Ray. One process, the head, has the jobs; workers have segments only."""
