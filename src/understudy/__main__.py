"""``python -m understudy``."""

from understudy.cli.entry import run

run()
