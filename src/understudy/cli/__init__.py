"""The command line: one module per command. Only here are arguments and the environment read."""
