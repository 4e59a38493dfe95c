"""The right part of a wide dashboard: what the system is made of."""

from liveos_tui.console.lines import Line, Span, wrap
from liveos_tui.console.state import Observation
from liveos_tui.console.theme import Role
from liveos_tui.console.wording import (
    image_format,
    layout_words,
    overlay_kind,
    percent,
    size,
    state_word,
)
from liveos_tui.live.model import LiveSystem, Overlay

_NAME = 13


def facts(seen: Observation | None, width: int) -> list[Line]:
    """Names and values of everything that the gauges leave out."""
    if seen is None or seen.system is None:
        return []
    lines: list[Line] = [(Span("Details", Role.HEADING),)]
    for name, value in _facts(seen.system):
        for number, row in enumerate(wrap(value, width - _NAME)):
            start = name if number == 0 else ""
            lines.append((Span(start.ljust(_NAME), Role.MUTED), Span(row)))
    return lines


def _facts(system: LiveSystem) -> list[tuple[str, str]]:
    target, layout, root = system.target, system.layout, system.root
    image = layout.image or "unknown"
    if layout.image_format is not None:
        image += f" ({image_format(layout.image_format)})"
    pairs: list[tuple[str, str | None]] = [
        ("Release", target.release),
        ("Layout", layout_words(layout, system.overlay)),
        ("Image", image),
        ("Base", layout.base),
        ("Overlay", system.overlay.path),
        ("", _overlay_words(system.overlay)),
    ]
    if system.unused_overlay is not None:
        pairs += [
            ("Unused", system.unused_overlay.path),
            ("overlay", _overlay_words(system.unused_overlay)),
        ]
    if root.filesystem is not None:
        checked = {True: "clean", False: "not clean", None: None}[root.clean]
        mode = {True: "read-only", False: "writable", None: None}[root.read_only]
        pairs.append(("Root", _join(root.filesystem, mode, checked)))
    if system.home.path is not None:
        pairs.append(("Home", _join(system.home.path, system.home.state.value)))
    writable = {True: "writable", False: "read-only", None: None}[target.writable]
    pairs += [
        ("Stick", _join(target.filesystem, writable)),
        ("Mounted at", target.mount_point),
        ("Model", target.model),
    ]
    return [(name, value) for name, value in pairs if value]


def _overlay_words(overlay: Overlay) -> str:
    fill = None
    if overlay.fraction is not None:
        fill = f"{percent(overlay.fraction)} of {size(overlay.total_bytes or 0)}"
    metadata = f"{size(overlay.metadata_bytes)} metadata" if overlay.metadata_bytes else None
    return _join(
        overlay_kind(overlay.kind) if overlay.kind else None,
        state_word(overlay.state)[0],
        fill,
        metadata,
        "in use" if overlay.in_use else "not in use",
        "read-only" if overlay.read_only else None,
        overlay.unknown,
    )


def _join(*parts: str | None) -> str:
    return ", ".join(part for part in parts if part)
