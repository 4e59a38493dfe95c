"""The attached devices: a line on the dashboard, all that is known on their own screen."""

from dataclasses import replace

from rich.cells import cell_len

from liveos_tui.console.glyphs import Glyphs
from liveos_tui.console.lines import Line, Span, cell, right, wrap_at_most
from liveos_tui.console.state import DeviceList, Observation
from liveos_tui.console.theme import Role
from liveos_tui.console.wording import (
    SEVERITY_WIDTH,
    percent,
    severity_word,
    size,
    state_word,
)
from liveos_tui.live.model import AttachedDevice

_LABEL = 12
_PATH = 14
_SIZE = 8
_WHERE = 11
_OVERLAY = 15
_NOTE = 24
"""Cells of "No LiveOS folder on it.", which is what most notes say."""
# A piece of a sentence says nothing; the Devices screen has all of it.
_LONG_NOTE = "It cannot be looked at."

_START = 3 + _LABEL + 1 + _PATH + 1 + _SIZE + 2 + _WHERE + 2
"""Cells before the overlay's column, without a model."""

# The model has a column where this much is left for it; else it is among the details only.
_LEAST_MODEL = 12
_MOST_MODEL = 32

DETAIL_ROWS = 5


def merged(devices: DeviceList, seen: Observation | None) -> tuple[AttachedDevice, ...]:
    """The list, with the watched one's fill from its last sample: two figures never disagree."""
    system = seen.system if seen and not seen.old else None
    if system is None:
        return devices.devices or ()
    watched = {system.target.device, system.target.path}
    return tuple(
        replace(
            device,
            overlay_state=system.overlay.state,
            overlay_fraction=system.overlay.fraction,
            severity=system.severity,
        )
        if device.path in watched
        else device
        for device in devices.devices or ()
    )


def nothing(devices: DeviceList, seen: Observation | None, glyphs: Glyphs) -> list[str]:
    """Why there are no rows."""
    if devices.trouble is not None:
        return [f"{devices.trouble.message} {devices.trouble.hint}".strip()]
    if devices.devices is None:
        return [f"Looking for devices {glyphs.dots}"] if devices.waiting else []
    # What is looked at may be no device: a folder, a practice stick.
    which = "No other stick" if seen is not None and seen.system is not None else "No stick"
    return [f"{which} is attached. Plug one in: it appears here by itself."]


def where(device: AttachedDevice) -> str:
    """Whether it carries the running system."""
    return "this system" if device.this_system else "attached"


def overlay_words(device: AttachedDevice) -> str:
    """State and fill of its overlay; empty for a device without one."""
    if device.overlay_state is None:
        return ""
    word = state_word(device.overlay_state)[0]
    if device.overlay_fraction is None:
        return word
    return f"{word} {percent(device.overlay_fraction)}"


def _foreign(device: AttachedDevice) -> bool:
    """Whether there is nothing to open: it has no overlay state, and a note says why."""
    return device.overlay_state is None and bool(device.note)


def _model_width(width: int) -> int:
    """Cells of the model's column on a terminal of this width; 0 for none."""
    left = width - _START - max(_NOTE, _OVERLAY + 1 + SEVERITY_WIDTH) - 3
    return min(left, _MOST_MODEL) if left >= _LEAST_MODEL else 0


def _start(label: str, path: str, size: str, model: str, place: str) -> str:
    return f"   {label} {path} {size}  {model}{'  ' if model else ''}{place}  "


def header(width: int) -> Line:
    """The names of the columns of a row with the model."""
    words = _start(
        cell("Label", _LABEL),
        cell("Device", _PATH),
        right("Size", _SIZE),
        cell("Model", _model_width(width)),
        cell("Where", _WHERE),
    )
    return (Span(words + "Overlay", Role.MUTED),)


def row(device: AttachedDevice, width: int, glyphs: Glyphs, *, model: bool = False) -> Line:
    """One device in one line; `model` shows its maker's name where there is room."""
    model_width = _model_width(width) if model else 0
    start = _start(
        cell(device.label or "-", _LABEL, glyphs.dots),
        cell(device.path, _PATH, glyphs.dots),
        right(size(device.size_bytes) if device.size_bytes is not None else "", _SIZE),
        cell(device.model or "-", model_width, glyphs.dots),
        cell(where(device), _WHERE),
    )
    room = width - cell_len(start) - 1
    if _foreign(device):
        note = device.note if cell_len(device.note) <= room else _LONG_NOTE
        return (Span(start + note, Role.MUTED),)
    word, role = severity_word(device.severity)
    overlay = cell(overlay_words(device), _OVERLAY, glyphs.dots)
    return (Span(start), Span(overlay + " "), Span(word, role))


def details(device: AttachedDevice | None, width: int, glyphs: Glyphs) -> list[Line]:
    """Everything that is known of the selected device, unabridged where it fits."""
    if device is None:
        return []
    facts = [
        ("Label", device.label or "none"),
        ("UUID", device.uuid or "none"),
        ("File system", device.filesystem or "unknown"),
        ("Size", size(device.size_bytes)),
        ("Model", device.model or "unknown"),
    ]
    text = f" {glyphs.separator} ".join(f"{name} {value}" for name, value in facts)
    lines: list[Line] = [
        (Span(text_row),) for text_row in wrap_at_most(text, width, DETAIL_ROWS - 1, glyphs.dots)
    ]
    note = device.note or (
        "Its overlay is unknown." if device.overlay_state is None else "Enter opens it."
    )
    notes = wrap_at_most(note, width, DETAIL_ROWS - len(lines), glyphs.dots)
    return [*lines, *((Span(text_row, Role.MUTED),) for text_row in notes)]
