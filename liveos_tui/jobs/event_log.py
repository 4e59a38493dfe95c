"""The event log of a job: a file in memory that its worker writes and anybody of its user reads."""

import os
import threading
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

from liveos_tui.jobs.event_codec import EventReader, decode, encode
from liveos_tui.jobs.events import (
    EndEvent,
    Event,
    JobState,
    OutputEvent,
    PausedEvent,
    ProgressEvent,
    StepEvent,
    StepState,
    WaitingEvent,
)

LIMIT_BYTES = 2 * 1024 * 1024
"""What programs have printed beyond this is not kept: the log is in memory."""

DROPPED = "(What is printed from here on is not kept: there is too much of it.)"

# A person sees no more; beyond the limit the log hardly grows.
_PROGRESS_SECONDS = 0.2
_PROGRESS_SECONDS_BEYOND = 10.0

_PIECE_BYTES = 1 << 18
_LEADING = (
    b'{"event":"step"',
    b'{"event":"waiting"',
    b'{"event":"paused"',
    b'{"event":"end"',
)


class EventLog:
    """Writes events. May be told from several threads. A context manager."""

    def __init__(self, path: Path, clock: Callable[[], float] = time.monotonic) -> None:
        flags = os.O_WRONLY | os.O_CREAT | os.O_APPEND | os.O_NOFOLLOW | os.O_CLOEXEC
        self._descriptor = os.open(path, flags, 0o600)
        self._clock = clock
        self._lock = threading.Lock()
        self._kept = os.fstat(self._descriptor).st_size
        self._noted = False
        self._ended = False
        self._torn = False
        self._progress: tuple[int, str] = (-1, "")
        self._progress_at = 0.0

    def tell(self, event: Event) -> None:
        """Append an event; nothing follows the first EndEvent.

        Never raises: a job does not fail because nobody can listen.
        """
        with self._lock:
            if self._ended:
                return
            match event:
                case EndEvent():
                    self._ended = True
                case ProgressEvent() if self._too_soon(event):
                    return
                case StepEvent(at=None):
                    event = replace(event, at=round(self._clock(), 3))
                case StepEvent() | WaitingEvent() | PausedEvent() | ProgressEvent():
                    pass
                case _ if self._kept >= LIMIT_BYTES:
                    if self._noted:
                        return
                    self._noted = True
                    event = OutputEvent(event.step, DROPPED)
            self._append(encode(event))

    def _too_soon(self, event: ProgressEvent) -> bool:
        now = self._clock()
        apart = _PROGRESS_SECONDS if self._kept < LIMIT_BYTES else _PROGRESS_SECONDS_BEYOND
        here = (event.step, event.phase)
        if here == self._progress and now - self._progress_at < apart:
            return True
        self._progress, self._progress_at = here, now
        return False

    def _append(self, line: bytes) -> None:
        # Memory may be full: what was cut off then must not spoil the next line.
        line = b"\n" + line if self._torn else line
        try:
            written = os.write(self._descriptor, line)
        except OSError:
            written = 0
        self._torn = (self._torn and not written) or 0 < written < len(line)
        self._kept += written

    def __enter__(self) -> "EventLog":
        return self

    def __exit__(self, *_: object) -> None:
        os.close(self._descriptor)


class EventFeed:
    """Reads a log as it grows. See `jobs.workshop.Feed`.

    `alive` says whether the worker lives; `lost` is the end of a job whose worker does not, and has
    not told one.
    """

    def __init__(self, path: Path, alive: Callable[[], bool], lost: EndEvent) -> None:
        self._path = path
        self._alive = alive
        self._lost = lost
        self._reader = EventReader()
        self._descriptor: int | None = None
        self._ended = False

    def poll(self) -> list[Event]:
        """What has come since the last call."""
        if self._ended:
            return []
        # Asked first: what the worker has told before it died is then in the log.
        alive = self._alive()
        data = self._read()
        events = self._reader.feed(data)
        for index, event in enumerate(events):
            if isinstance(event, EndEvent):
                self._ended = True
                return events[: index + 1]
        if not alive and len(data) < _PIECE_BYTES:
            self._ended = True
            events.append(self._lost)
        return events

    def close(self) -> None:
        """Stop to listen."""
        self._ended = True
        if self._descriptor is not None:
            os.close(self._descriptor)
            self._descriptor = None

    def _read(self) -> bytes:
        try:
            if self._descriptor is None:
                self._descriptor = os.open(self._path, os.O_RDONLY | os.O_NOFOLLOW | os.O_CLOEXEC)
            return os.read(self._descriptor, _PIECE_BYTES)
        except OSError:
            return b""


def state_of(path: Path) -> tuple[JobState | None, int, str]:
    """How a job is by its log: state (None without an end), steps behind it, how it ended.

    Waiting and paused are states too; they are over with what happens next.
    """
    state: JobState | None = None
    done, message = 0, ""
    try:
        lines = path.read_bytes().split(b"\n")
    except OSError:
        return None, 0, ""
    for line in lines:
        # A log is mostly progress and output, which say nothing here.
        event = decode(line) if line.startswith(_LEADING) else None
        match event:
            case StepEvent(step, StepState.DONE):
                state, done = None, max(done, step + 1)
            case StepEvent(step, StepState.UNDONE):
                state, done = None, min(done, step)
            case StepEvent():
                state = None
            case WaitingEvent():
                state = JobState.WAITING
            case PausedEvent(_, paused):
                state = JobState.PAUSED if paused else None
            case EndEvent(ended, words):
                # The last one counts: an interrupted job may be left as it is later.
                state, message = ended, words
    return state, done, message
