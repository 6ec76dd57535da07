"""``python -m understudy``."""

from understudy.cli.main import run

run()
