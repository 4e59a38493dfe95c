"""`status`: a system as JSON, as text, and as an exit code."""

import shlex
from collections.abc import Iterator
from typing import Any

from liveos_tui.errors import ExitCode
from liveos_tui.live.model import (
    LayoutKind,
    LiveSystem,
    Operation,
    Overlay,
    OverlayKind,
    Severity,
    TargetKind,
    Usage,
)
from liveos_tui.live.words import amount, duration, percent, size

SCHEMA = 1

# Less than that is lost in the rounding of the other figures.
_SEEN_PART = 0.02


def exit_code(system: LiveSystem) -> ExitCode:
    """0 well, 10 needs attention, 20 broken."""
    match system.severity:
        case Severity.BROKEN:
            return ExitCode.BROKEN
        case Severity.WARNING:
            return ExitCode.NEEDS_ATTENTION
    return ExitCode.WELL


def document(system: LiveSystem) -> dict[str, Any]:
    """The system in the shape of `status --json`, schema 1. What is not known is None.

    Bytes of a file system are those of `df`: `used_bytes` holds something, `free_bytes` can be used
    by this program; what is missing to `total_bytes` is reserved.
    """
    target, layout, home = system.target, system.layout, system.home
    return {
        "schema": SCHEMA,
        "target": {
            "kind": target.kind,
            "path": target.path,
            "label": target.label,
            "uuid": target.uuid,
            "filesystem": target.filesystem,
            "writable": target.writable,
            "device": target.device,
            "mount_point": target.mount_point,
            "model": target.model,
            "release": target.release,
        },
        "layout": {
            "kind": layout.kind,
            "image": layout.image,
            "image_format": layout.image_format,
            "base": layout.base,
        },
        "overlay": _overlay(system.overlay),
        "unused_overlay": _overlay(system.unused_overlay) if system.unused_overlay else None,
        "root": {
            "filesystem": system.root.filesystem,
            "read_only": system.root.read_only,
            **_usage(system.root.usage),
        },
        "home": {"path": home.path, "state": home.state, **_usage(home.usage)},
        "host": {**_usage(system.host.usage), "free_bytes": system.host.usage.free_bytes},
        "findings": [
            {
                "severity": finding.severity,
                "code": finding.code,
                "text": finding.text,
                "action": finding.action or None,
            }
            for finding in system.findings
        ],
        "operations": {
            each.operation: {"possible": each.possible, "why_not": each.why_not}
            for each in system.operations
        },
    }


def _usage(usage: Usage) -> dict[str, int | None]:
    return {"used_bytes": usage.used_bytes, "total_bytes": usage.total_bytes}


def _overlay(overlay: Overlay) -> dict[str, Any]:
    return {
        "state": overlay.state,
        "kind": overlay.kind,
        "path": overlay.path,
        "in_use": overlay.in_use,
        "persistent": overlay.persistent,
        "read_only": overlay.read_only,
        "table": overlay.table,
        "used_bytes": overlay.used_bytes,
        "total_bytes": overlay.total_bytes,
        "free_bytes": overlay.free_bytes,
        "metadata_bytes": overlay.metadata_bytes,
        "fraction": overlay.fraction,
        "rate_bytes_per_second": overlay.rate_bytes_per_second,
        "seconds_until_full": overlay.seconds_until_full,
    }


def title(system: LiveSystem) -> str:
    """What is looked at, in one line: label, UUID, device, layout in words."""
    target = system.target
    name = " ".join(filter(None, (target.label, target.uuid))) or target.path
    where = target.path if target.kind is TargetKind.FOLDER else target.device or target.path
    words = [name, where, place_words(system), target.release, layout_words(system)]
    return "  ".join(word for word in words if word)


def place_words(system: LiveSystem) -> str:
    """How the target is connected: "this system", "attached", "folder"."""
    match system.target.kind:
        case TargetKind.FOLDER:
            return "folder"
        case _ if system.target.this_system:
            return "this system"
    return "attached"


def layout_words(system: LiveSystem) -> str:
    """The kind of overlay: "snapshot overlay (PO)", "OverlayFS in memory"."""
    overlay = system.overlay
    if overlay.kind is None:
        return "overlay unknown" if overlay.unknown else "no overlay"
    if system.layout.kind is LayoutKind.OVERLAYFS:
        return f"OverlayFS ({overlay.kind})"
    table = f" ({overlay.table})" if overlay.table else ""
    if overlay.kind is OverlayKind.TEMPORARY:
        return f"snapshot overlay in memory{table}"
    return f"snapshot overlay{table}"


def text(system: LiveSystem) -> str:
    """One screen of text."""
    return "\n".join(_lines(system)) + "\n"


def _lines(system: LiveSystem) -> Iterator[str]:
    overlay, home = system.overlay, system.home
    yield title(system)
    yield ""
    state = overlay.state.value if overlay.state else "unknown"
    yield _row("Overlay", Usage(overlay.used_bytes, overlay.total_bytes), state, overlay.unknown)
    if overlay.path:
        use = "in use" if overlay.in_use else "not in use"
        yield f"{'':14}{amount(overlay.left_bytes)} left, {use}, {overlay.path}"
    if overlay.seconds_until_full is not None:
        rate = size((overlay.rate_bytes_per_second or 0) * 60)
        yield f"{'':14}+{rate}/min, full in {duration(overlay.seconds_until_full)}"
    root = system.root
    yield _row("Root", root.usage, root.filesystem or "", root.unknown)
    yield _row("Home", home.usage, home.state.value, home.unknown)
    host = system.host
    yield _row(
        "Stick", host.usage, system.target.filesystem or "", host.unknown or _free(host.usage)
    )
    if system.findings:
        yield ""
    for finding in system.findings:
        yield f"{finding.severity.upper()}: {finding.text}"
        if finding.action:
            yield f"  -> {finding.action}"
        if finding.operation in {Operation.RECOVER, Operation.GROW}:
            yield f"  $ liveos-tui {finding.operation} {shlex.quote(system.target.path)}"


def _free(usage: Usage) -> str | None:
    """What is free, and what is missing to the total where that is to be seen in the figures."""
    if usage.free_bytes is None:
        return None
    reserved = usage.reserved_bytes
    seen = reserved and usage.total_bytes and reserved >= usage.total_bytes * _SEEN_PART
    return f"{amount(usage.free_bytes)} free" + (f", {size(reserved)} reserved" if seen else "")


def _row(name: str, usage: Usage, state: str, note: str | None) -> str:
    if usage.total_bytes is None:
        figures = "" if state in {"none", "locked", "invalid"} else "unknown"
    else:
        figures = f"{size(usage.used_bytes)} of {size(usage.total_bytes)}"
    words = [percent(usage.fraction) if usage.fraction is not None else "", figures, state, note]
    return f"{name:14}" + "  ".join(word for word in words if word)
