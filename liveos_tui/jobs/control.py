"""What a person asks of a job at work: lines of JSON in a file in memory, which its worker reads.

| line                           |                                                        |
|--------------------------------|--------------------------------------------------------|
| `{"ask": "allow", "steps": 3}` | go on until 3 steps are done                           |
| `{"ask": "back"}`              | undo the last step                                     |
| `{"ask": "cancel"}`            | end at the next point where that does no harm          |
| `{"ask": "pause"}`             | stand still at the next point where that does no harm  |
| `{"ask": "go on"}`             | do so no more                                          |
"""

import json
import os
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from liveos_tui.errors import LiveosError
from liveos_tui.formats.lines import LineSplitter
from liveos_tui.jobs.event_codec import json_object
from liveos_tui.jobs.order import Wanted

_FLAGS = os.O_CLOEXEC | os.O_NOFOLLOW | os.O_NONBLOCK
_PIECE_BYTES = 1 << 16
_LINE_LIMIT_BYTES = 1000
_LOOK_SECONDS = 0.1


@dataclass(frozen=True, slots=True)
class Allow:
    """Go on until so many steps are done."""

    steps: int


@dataclass(frozen=True, slots=True)
class StepBack:
    """Undo the last step."""


@dataclass(frozen=True, slots=True)
class Cancel:
    """End."""


@dataclass(frozen=True, slots=True)
class Pause:
    """Stand still."""


@dataclass(frozen=True, slots=True)
class GoOn:
    """Stand still no more."""


Request = Allow | StepBack | Cancel | Pause | GoOn


def ask(path: Path, request: Request) -> None:
    """Ask something of the job that reads `path`. Raises LiveosError."""
    line = json.dumps(_fields(request)).encode()
    try:
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND | _FLAGS, 0o600)
        try:
            # One write, so that the requests of two consoles do not mix.
            os.write(descriptor, b"\n" + line + b"\n")
        finally:
            os.close(descriptor)
    except OSError as error:
        raise LiveosError(
            f"The job cannot be asked: {error.strerror}.", "It goes on as before."
        ) from error


def _fields(request: Request) -> dict[str, str | int]:
    match request:
        case Allow(steps):
            return {"ask": "allow", "steps": steps}
        case StepBack():
            return {"ask": "back"}
        case Cancel():
            return {"ask": "cancel"}
        case Pause():
            return {"ask": "pause"}
        case GoOn():
            return {"ask": "go on"}


def request_of(line: bytes) -> Request | None:
    """The request of a line, None for a line that holds none."""
    fields = json_object(line) or {}
    steps = fields.get("steps")
    match fields.get("ask"):
        case "allow" if isinstance(steps, int) and not isinstance(steps, bool) and steps >= 0:
            return Allow(steps)
        case "back":
            return StepBack()
        case "cancel":
            return Cancel()
        case "pause":
            return Pause()
        case "go on":
            return GoOn()
    return None


class FileControl:
    """What was asked in the file at `path`. See `jobs.order.Control`."""

    def __init__(self, path: Path, sleep: Callable[[float], None] = time.sleep) -> None:
        self._path = path
        self._sleep = sleep
        self._lines = LineSplitter(_LINE_LIMIT_BYTES)
        self._offset = 0
        self._allowed: int | None = None
        self._backs = 0
        self._cancelled = False
        self._paused = False
        self._news = False

    def cancel(self) -> None:
        """End, as a signal asks for it. It does nothing that a signal handler may not do."""
        self._cancelled = self._news = True

    def allowed(self) -> int | None:
        """See `jobs.order.Control`."""
        self._look()
        return self._allowed

    def wanted(self) -> Wanted:
        """See `jobs.order.Control`."""
        self._look()
        if self._cancelled:
            return Wanted.END
        return Wanted.STAND_STILL if self._paused else Wanted.GO_ON

    def take_back(self) -> bool:
        """See `jobs.order.Control`."""
        self._look()
        if not self._backs:
            return False
        self._backs -= 1
        return True

    def wait(self, seconds: float) -> None:
        """See `jobs.order.Control`.

        Where the job's folder is gone, nobody can ask anything any more: the job is to end.
        """
        if not self._path.parent.exists():
            self.cancel()
        while seconds > 0 and not self._look():
            self._sleep(min(seconds, _LOOK_SECONDS))
            seconds -= _LOOK_SECONDS
        self._news = False

    def _look(self) -> bool:
        """Read what is there; whether anything was asked since the last wait."""
        for line in self._lines.feed(self._read()):
            match request_of(line):
                case Allow(steps):
                    self._allowed = steps
                case StepBack():
                    self._backs += 1
                    # What was allowed before would be done again at once.
                    self._allowed = 0
                case Cancel():
                    self._cancelled = True
                case Pause():
                    self._paused = True
                case GoOn():
                    self._paused = False
                case None:
                    continue
            self._news = True
        return self._news

    def _read(self) -> bytes:
        try:
            descriptor = os.open(self._path, os.O_RDONLY | _FLAGS)
        except OSError:
            return b""
        try:
            data = os.pread(descriptor, _PIECE_BYTES, self._offset)
        except OSError:
            return b""
        finally:
            os.close(descriptor)
        self._offset += len(data)
        return data
