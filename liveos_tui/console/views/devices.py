"""The attached devices: a line on the dashboard, all that is known on their own screen."""

from dataclasses import replace

from liveos_tui.console.glyphs import Glyphs
from liveos_tui.console.lines import Line, Span, cell, right, wrap_at_most
from liveos_tui.console.state import DeviceList, Observation
from liveos_tui.console.theme import Role
from liveos_tui.console.wording import (
    SEVERITY_WIDTH,
    percent,
    severity_word,
    size,
    size_or_unknown,
    state_word,
)
from liveos_tui.live.model import AttachedDevice

_LABEL = 12
_PATH = 14
_SIZE = 8
_WHERE = 11
_OVERLAY = 13
_MODEL = 10

_SHORT = 3 + _LABEL + 1 + _PATH + 1 + _SIZE + 2 + _WHERE + 2
_FULL = 3 + _LABEL + 1 + _PATH + 1 + _SIZE + 2 + _MODEL + 1 + _WHERE + 1

DETAIL_ROWS = 4


def merged(devices: DeviceList, seen: Observation | None) -> tuple[AttachedDevice, ...]:
    """The list, with the watched one's fill from its last sample: two figures never disagree."""
    system = seen.system if seen else None
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


def nothing(devices: DeviceList, glyphs: Glyphs) -> list[str]:
    """Why there are no rows."""
    if devices.trouble is not None:
        return [f"{devices.trouble.message} {devices.trouble.hint}".strip()]
    if devices.devices is None:
        return [f"Looking for devices {glyphs.dots}"] if devices.waiting else []
    return ["No stick is attached. Plug one in: it appears here by itself."]


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


def short_row(device: AttachedDevice, width: int, glyphs: Glyphs) -> Line:
    """A row of the dashboard's list."""
    start = (
        f"   {cell(device.label or '-', _LABEL, glyphs.dots)} "
        f"{cell(device.path, _PATH, glyphs.dots)} "
        f"{right(size(device.size_bytes) if device.size_bytes is not None else '', _SIZE)}  "
        f"{cell(where(device), _WHERE)}  "
    )
    return _end(device, start, width - _SHORT, glyphs)


def header(width: int) -> Line:
    """The names of the columns of `full_row`."""
    model = _MODEL + max(0, width - _FULL - _OVERLAY - 1 - SEVERITY_WIDTH)
    return (
        Span(
            f"   {cell('Label', _LABEL)} {cell('Device', _PATH)} {right('Size', _SIZE)}  "
            f"{cell('Model', model)} {cell('Where', _WHERE)} {cell('Overlay', _OVERLAY)} ",
            Role.MUTED,
        ),
    )


def full_row(device: AttachedDevice, width: int, glyphs: Glyphs) -> Line:
    """A row of the Devices screen."""
    model = _MODEL + max(0, width - _FULL - _OVERLAY - 1 - SEVERITY_WIDTH)
    start = (
        f"   {cell(device.label or '-', _LABEL, glyphs.dots)} "
        f"{cell(device.path, _PATH, glyphs.dots)} "
        f"{right(size(device.size_bytes) if device.size_bytes is not None else '', _SIZE)}  "
        f"{cell(device.model or '-', model, glyphs.dots)} {cell(where(device), _WHERE)} "
    )
    return _end(device, start, width - _FULL - (model - _MODEL), glyphs)


def _end(device: AttachedDevice, start: str, room: int, glyphs: Glyphs) -> Line:
    if _foreign(device):
        note = cell(device.note, room - 1, glyphs.dots).rstrip()
        return (Span(start, Role.MUTED), Span(note, Role.MUTED))
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
        ("Size", size_or_unknown(device.size_bytes)),
        ("Model", device.model or "unknown"),
    ]
    text = f" {glyphs.separator} ".join(f"{name} {value}" for name, value in facts)
    lines: list[Line] = [
        (Span(row),) for row in wrap_at_most(text, width, DETAIL_ROWS - 1, glyphs.dots)
    ]
    note = device.note or (
        "Its overlay is unknown." if device.overlay_state is None else "Enter opens it."
    )
    rows = wrap_at_most(note, width, DETAIL_ROWS - len(lines), glyphs.dots)
    return [*lines, *((Span(row, Role.MUTED),) for row in rows)]
