"""The program of `records` at work in a booted stick, and what of its files is there later."""

import json
import subprocess
import threading
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Self

import records
from machine import wait_for
from stick import Stick

FOLDER = "srv/numbered"
"""Where it writes, below the root."""

# What is found in that folder, as JSON. The folder is the argument.
LOOK = r"""
import hashlib, json, os, sys
folder, text, found = sys.argv[1], "", {}
for name in os.listdir(folder):
    with open(f"{folder}/{name}", "rb") as file:
        data = file.read()
    if name == "records":
        text = data.decode("ascii", "replace")
    elif not name.endswith(".new"):
        found[name] = hashlib.sha256(data).hexdigest()
print(json.dumps([text, found]))
"""
_RUN = "PYTHONDONTWRITEBYTECODE=1 python3"


@dataclass(frozen=True, slots=True)
class Line:
    """A line that was told, and how large the log of the disk's writes was after it had come.

    So all that it tells of had been written by then.
    """

    words: tuple[str, ...]
    log_bytes: int


class NumberedWriter:
    """A context manager: the program runs within it, or until `stop`.

    `pause` is seconds between records, `per_file` how many records come for each replaced file.
    `lines` are what it has told by now; `log` is the log of the disk's writes, if there is one.
    """

    def __init__(
        self, stick: Stick, *, pause: float = 0.1, per_file: int = 3, log: Path | None = None
    ) -> None:
        self.lines: list[Line] = []
        self._stick, self._log = stick, log
        self._how = f"/{FOLDER} {pause} /run/numbered.stop {per_file}"

    def __enter__(self) -> Self:
        self._stick.run(
            f"cat > /run/numbered.py; rm -f /run/numbered.stop; mkdir -p /{FOLDER}; sync",
            stdin=records.SCRIPT.encode(),
        )
        self._process = subprocess.Popen(
            [*self._stick.ssh_command(), f"{_RUN} /run/numbered.py {self._how}"],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            text=True,
        )
        self._reader = threading.Thread(target=self._listen)
        self._reader.start()
        self.wait_for_more()
        return self

    def __exit__(self, *_: object) -> None:
        self._process.kill()
        self._reader.join()
        # Waits for it, and closes what it was heard by.
        self._process.communicate()

    @property
    def told(self) -> list[tuple[str, ...]]:
        return [line.words for line in self.lines]

    def wait_for_more(self, number: int = 20) -> None:
        """Wait until it has synced more records: the root is alive."""
        enough = records.count(self.told) + number
        wait_for(lambda: records.count(self.told) >= enough, f"{number} more records", 120)

    def stop(self) -> None:
        """Have it end by itself, and hear all that it has told."""
        self._stick.run("touch /run/numbered.stop", timeout=120)
        self._process.wait(120)
        self._reader.join()

    def _listen(self) -> None:
        assert self._process.stdout is not None
        for line in self._process.stdout:
            if line.endswith("\n"):
                # In this order: what the line tells of is in the log already.
                size = self._log.stat().st_size if self._log is not None else 0
                self.lines.append(Line(tuple(line.split()), size))


def lost(stick: Stick, told: records.Told, later: records.Told = (), root: str = "/") -> list[str]:
    """What was told, and is not there in the booted stick, in the root that is mounted there."""
    return lost_of(_look(stick, root), told, later)


def lost_of(looked: str, told: records.Told, later: records.Told = ()) -> list[str]:
    """The same, from what LOOK has printed."""
    text, hashes = json.loads(looked)
    return records.missing(text.encode(), hashes, told, later)


def never_written(stick: Stick, told: records.Told, root: str = "/") -> list[str]:
    """The files that have bytes which they never had."""
    _, hashes = json.loads(_look(stick, root))
    had = {(words[1], words[2]) for words in told if words[0] == "begin"}
    return [name for name, known in hashes.items() if (name, known) not in had]


def _look(stick: Stick, root: str) -> str:
    return stick.run(f"{_RUN} - {root}/{FOLDER}", stdin=LOOK.encode(), timeout=120).stdout


def split(lines: Sequence[Line], log_bytes: int) -> tuple[records.Told, records.Told]:
    """What had been told when the log had this size, and what came later."""
    told = [line.words for line in lines if line.log_bytes <= log_bytes]
    return told, [line.words for line in lines[len(told) :]]
