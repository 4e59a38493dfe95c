"""The program in the dm lane: its command line in this process, its workers in their own.

Python's start takes seconds in an emulated machine; a worker is started as always.
"""

import io
import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager, redirect_stderr, redirect_stdout
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from liveos_tui.cli import main

JOBS_IN_MEMORY = Path("/run/liveos-tui/jobs")


@dataclass(frozen=True, slots=True)
class Said:
    """How a command has ended, and all that it has said."""

    code: int
    text: str


def tui(*words: str | Path) -> Said:
    """Run a command line to its end."""
    output = io.StringIO()
    with redirect_stdout(output), redirect_stderr(output):
        code = main([str(word) for word in words])
    return Said(int(code), output.getvalue())


def status(folder: Path) -> dict[str, Any]:
    """`status --json` of a stick."""
    return dict(json.loads(tui("status", folder, "--json").text))


def jobs(folder: Path) -> list[dict[str, Any]]:
    """What the journals of a stick tell of its jobs, the newest first."""
    return list(json.loads(tui("jobs", "list", "--target", folder, "--json").text)["jobs"])


@dataclass(slots=True)
class Running:
    """A command that runs, in a process of its own, and tells events as lines of JSON.

    `id` is its job's, once it has told of it.
    """

    process: subprocess.Popen[str]
    id: str = ""

    def events(self) -> Iterator[dict[str, Any]]:
        """The events as they come, until the command ends."""
        assert self.process.stdout is not None
        for line in self.process.stdout:
            if line.startswith("{"):
                event = json.loads(line)
                if event.get("event") == "job":
                    self.id = str(event["id"])
                yield event

    def until(self, step: int, state: str = "running") -> None:
        """Wait until the job says this of a step."""
        for event in self.events():
            if event.get("event") == "step" and (event["step"], event["state"]) == (step, state):
                return
        raise AssertionError(f"the job has ended without step {step} {state}")

    def end(self) -> dict[str, Any]:
        """The last event."""
        last: dict[str, Any] = {}
        for event in self.events():
            last = event if event.get("event") == "end" else last
        self.process.wait()
        return last


@contextmanager
def running(*words: str | Path) -> Iterator[Running]:
    """Start a command with `--json`; it is gone after the block."""
    process = subprocess.Popen(
        [sys.executable, "-m", "liveos_tui", *map(str, words), "--json"],
        stdout=subprocess.PIPE,
        stdin=subprocess.DEVNULL,
        text=True,
    )
    try:
        yield Running(process)
    finally:
        process.kill()
        process.communicate()


def signal_worker(job: str, signal_number: signal.Signals) -> None:
    """Send a signal to the worker of a job."""
    worker = json.loads((JOBS_IN_MEMORY / job / "worker.json").read_text())
    os.kill(worker["pid"], signal_number)
