"""Damaged inputs of every kind, and what the program makes of them (see ``attack_inputs.py``)."""
