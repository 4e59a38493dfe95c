"""Events as lines of JSON: the event log, and what `--json` prints. One event, one line.

Every line is an object with `event`, and these fields (unknown is null, sizes are bytes):

| event      | fields                                                                          |
|------------|---------------------------------------------------------------------------------|
| `step`     | `step` (from 0), `state` (running, done, failed, cancelled, undone), `text`,    |
|            | `at` (seconds of this boot's monotonic clock)                                   |
| `progress` | `step`, `phase`, `fraction` (0.0 to 1.0), `rate` (bytes a second), `seconds_left` |
| `command`  | `step`, `argv` (list of words)                                                  |
| `output`   | `step`, `text` (a line that the program has printed)                            |
| `found`    | `step`, `text`                                                                  |
| `waiting`  | `step` (the job waits for the person before it does this step)                  |
| `end`      | `state` (done, failed, cancelled, rolled back ...), `message`, `hint`, `report` |

A log may have been written by anything: what is not an event is left out, and all text is made
harmless again on its way in.
"""

import json
import math
from collections.abc import Callable, Mapping
from typing import Any

from liveos_tui.formats.lines import LineSplitter
from liveos_tui.formats.text import clean
from liveos_tui.jobs.events import (
    CommandEvent,
    EndEvent,
    Event,
    FoundEvent,
    JobState,
    OutputEvent,
    PausedEvent,
    ProgressEvent,
    StepEvent,
    StepState,
    WaitingEvent,
)

TEXT_LIMIT = 1000
"""Characters of one text. Sentences are short; a program's line need not be."""

LIST_LIMIT = 150
"""Words of a command, lines of a report; what is more is left out."""

LINE_LIMIT_BYTES = 1 << 21
"""A longer line is no event: an escaped character takes up to 12 bytes."""

_STEPS_LIMIT = 10_000


def document(event: Event) -> dict[str, Any]:
    """The event in the shape of its line. Its text is harmless and bounded."""
    match event:
        case StepEvent(step, state, text, at):
            return {
                "event": "step",
                "step": step,
                "state": state.value,
                "text": _clip(text),
                "at": _finite(at),
            }
        case ProgressEvent(step, phase, fraction, rate, seconds_left):
            return {
                "event": "progress",
                "step": step,
                "phase": _clip(phase),
                "fraction": _finite(fraction),
                "rate": _finite(rate),
                "seconds_left": _finite(seconds_left),
            }
        case CommandEvent(step, argv):
            words = [_clip(word) for word in argv[:LIST_LIMIT]]
            return {"event": "command", "step": step, "argv": words}
        case OutputEvent(step, text):
            return {"event": "output", "step": step, "text": _clip(text)}
        case FoundEvent(step, text):
            return {"event": "found", "step": step, "text": _clip(text)}
        case WaitingEvent(step):
            return {"event": "waiting", "step": step}
        case PausedEvent(step, paused):
            return {"event": "paused", "step": step, "paused": paused}
        case EndEvent(state, message, hint, report):
            return {
                "event": "end",
                "state": state.value,
                "message": _clip(message),
                "hint": _clip(hint),
                "report": [_clip(line) for line in report[:LIST_LIMIT]],
            }


def encode(event: Event) -> bytes:
    """The event as a line, its end included. ASCII, whatever its text holds."""
    return json.dumps(document(event), separators=(",", ":")).encode("ascii") + b"\n"


def decode(line: bytes) -> Event | None:
    """The event of a line, None for a line that holds none."""
    fields = json_object(line)
    if fields is None:
        return None
    try:
        return _READERS[fields["event"]](fields)
    except (KeyError, TypeError, ValueError):
        return None


def json_object(line: bytes) -> dict[str, Any] | None:
    """The object of a line of JSON, None where there is none or where it is too long."""
    if len(line) > LINE_LIMIT_BYTES:
        return None
    try:
        found = json.loads(line)
    # Brackets in a long row are no JSON that anybody has written.
    except (ValueError, RecursionError):
        return None
    return found if isinstance(found, dict) else None


class EventReader:
    """Bytes of an event log to events."""

    def __init__(self) -> None:
        self._lines = LineSplitter(LINE_LIMIT_BYTES)

    def feed(self, data: bytes) -> list[Event]:
        """The events that are complete now."""
        events = (decode(line) for line in self._lines.feed(data))
        return [event for event in events if event is not None]


def _clip(text: str) -> str:
    return clean(text, TEXT_LIMIT)


def _finite(number: float | None) -> float | None:
    return number if number is not None and math.isfinite(number) else None


def _step(fields: Mapping[str, Any]) -> int:
    step = fields["step"]
    if isinstance(step, bool) or not isinstance(step, int) or not 0 <= step < _STEPS_LIMIT:
        raise ValueError
    return step


def _text(value: object) -> str:
    if not isinstance(value, str):
        raise TypeError
    return _clip(value)


def _texts(value: object) -> tuple[str, ...]:
    if not isinstance(value, list):
        raise TypeError
    return tuple(_text(each) for each in value[:LIST_LIMIT])


def _number(value: object, highest: float = 1e18) -> float | None:
    if value is None:
        return None
    if isinstance(value, bool) or not isinstance(value, (int, float)):
        raise TypeError
    if not 0 <= value <= highest:
        raise ValueError
    return float(value)


def _progress(fields: Mapping[str, Any]) -> ProgressEvent:
    return ProgressEvent(
        _step(fields),
        _text(fields["phase"]),
        _number(fields.get("fraction"), 1.0),
        _number(fields.get("rate")),
        _number(fields.get("seconds_left")),
    )


def _end(fields: Mapping[str, Any]) -> EndEvent:
    return EndEvent(
        JobState(fields["state"]),
        _text(fields["message"]),
        _text(fields.get("hint", "")),
        _texts(fields.get("report", [])),
    )


_READERS: Mapping[str, Callable[[Mapping[str, Any]], Event]] = {
    "step": lambda f: StepEvent(
        _step(f), StepState(f["state"]), _text(f.get("text", "")), _number(f.get("at"))
    ),
    "progress": _progress,
    "command": lambda f: CommandEvent(_step(f), _texts(f["argv"])),
    "output": lambda f: OutputEvent(_step(f), _text(f["text"])),
    "found": lambda f: FoundEvent(_step(f), _text(f["text"])),
    "waiting": lambda f: WaitingEvent(_step(f)),
    "paused": lambda f: PausedEvent(_step(f), paused=f["paused"] is True),
    "end": _end,
}
