"""Jobs: swaps that are written down, done by one or more runners, and never begun twice for nothing."""
