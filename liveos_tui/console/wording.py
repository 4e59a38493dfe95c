"""Figures and states in words. Unknown is a word too, never 0."""

from functools import lru_cache
from typing import assert_never

from liveos_tui.console.theme import Role
from liveos_tui.live import words
from liveos_tui.live.model import (
    ImageFormat,
    Layout,
    LayoutKind,
    Overlay,
    OverlayKind,
    OverlayState,
    Severity,
    Target,
    TargetKind,
)

_MINUTE = 60

# The words of `live`, as in findings and `status`: two places never round one figure differently.
# Cached, since most figures of a sample are those of the sample before.
size = lru_cache(maxsize=512)(words.size)
amount = words.amount
duration = lru_cache(maxsize=256)(words.duration)
percent = words.percent

STATE_ROLES = {
    OverlayState.FRESH: Role.GOOD,
    OverlayState.OK: Role.GOOD,
    OverlayState.FILLING: Role.WARNING,
    OverlayState.FULL: Role.DANGER,
    OverlayState.OVERFLOW: Role.DANGER,
    OverlayState.INVALID: Role.DANGER,
    OverlayState.FOREIGN: Role.DANGER,
    OverlayState.NONE: Role.MUTED,
}

FILL_ROLES = {
    Role.GOOD: Role.FILL_GOOD,
    Role.WARNING: Role.FILL_WARNING,
    Role.DANGER: Role.FILL_DANGER,
}

SEVERITY_WORDS = {
    Severity.NOTICE: ("NOTE", Role.NOTICE),
    Severity.WARNING: ("WARN", Role.WARNING),
    Severity.BROKEN: ("BROKEN", Role.DANGER),
}

SEVERITY_WIDTH = max(len(word) for word, _ in SEVERITY_WORDS.values())


@lru_cache(maxsize=64)
def rate(bytes_per_second: float) -> str:
    """How fast something grows, by the minute: "+5.1 MiB/min"."""
    by_minute = round(bytes_per_second * _MINUTE)
    if by_minute == 0:
        return "not growing"
    return f"{'+' if by_minute > 0 else '-'}{size(abs(by_minute))}/min"


def state_word(state: OverlayState | None) -> tuple[str, Role]:
    """An overlay's state as it is shown, and its role."""
    if state is None:
        return "unknown", Role.MUTED
    return state.upper(), STATE_ROLES[state]


def severity_word(severity: Severity | None) -> tuple[str, Role]:
    """A severity as it is shown, and its role; nothing for None."""
    return ("", Role.MUTED) if severity is None else SEVERITY_WORDS[severity]


def where(target: Target) -> str:
    """Whether the target is the running system, a stick beside it, or files."""
    match target.kind:
        case TargetKind.LIVE:
            return "this system"
        case TargetKind.DEVICE | TargetKind.MOUNT:
            return "attached"
        case TargetKind.FOLDER:
            return "folder"
    assert_never(target.kind)


def layout_words(layout: Layout, overlay: Overlay) -> str:
    """Which mechanism keeps the changes, in words."""
    if layout.kind is LayoutKind.SNAPSHOT:
        return f"dm-snapshot ({overlay.table})" if overlay.table else "dm-snapshot"
    return "OverlayFS"


_FORMATS = {
    ImageFormat.SQUASHFS: "squashfs",
    ImageFormat.EROFS: "EROFS",
    ImageFormat.EXT: "ext",
}

_KINDS = {
    OverlayKind.STORE: "COW store",
    OverlayKind.DIRECTORY: "directory",
    OverlayKind.EMBEDDED: "file with a file system",
    OverlayKind.TEMPORARY: "in memory, lost at shutdown",
}


def image_format(value: ImageFormat) -> str:
    """The name of an image format."""
    return _FORMATS[value]


def overlay_kind(value: OverlayKind) -> str:
    """What an overlay is made of, and what follows from it."""
    return _KINDS[value]
