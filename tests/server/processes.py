"""Servers in processes of their own."""

from __future__ import annotations

import contextlib
import json
import os
import signal
import subprocess


@contextlib.contextmanager
def serving(command, log, cwd=None, **environment):
    """A process, and the JSON object that it prints before it serves. It is ended as Ctrl-C or a service manager does.

    Args:
        command: What to run.
        log: File for what it writes to stderr.
        cwd: Where it runs.
        environment: What it has besides this process's own.
    """
    with log.open("a") as errors:
        process = subprocess.Popen(
            command, stdout=subprocess.PIPE, stderr=errors, text=True, env=os.environ | environment, cwd=cwd
        )
        try:
            said = ""
            for line in process.stdout:
                said += line
                if line == "}\n":
                    break
            else:
                raise AssertionError(f"it ended with {process.wait()}: {log.read_text()}")
            yield process, json.loads(said)
        finally:
            process.send_signal(signal.SIGTERM)
            try:
                process.wait(60)
            finally:
                process.kill()
                process.stdout.close()
