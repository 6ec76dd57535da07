"""The pipeline: the one place where the stages are put in order."""
