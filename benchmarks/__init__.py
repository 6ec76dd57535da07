"""Speed and memory, printed as ratios. Not tests: a shared machine is too noisy for those."""
