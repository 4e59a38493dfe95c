"""What matters about the overlay: in use or not, on the stick or in memory."""

from collections.abc import Iterator

from liveos_tui.live.fill import NOTICE_FRACTION, WARNING_FRACTION, WARNING_SECONDS
from liveos_tui.live.model import (
    Finding,
    LayoutKind,
    LiveSystem,
    Operation,
    OverlayKind,
    OverlayState,
    Severity,
)
from liveos_tui.live.operations import ILL, why_not
from liveos_tui.live.remedies import growth, named, offered, recovery
from liveos_tui.live.words import amount, duration, need, percent, size

LEAST_MEMORY_BYTES = 128 * 1024 * 1024

_BOOT_WITHOUT = (
    "Boot this stick once without its overlay (leave rd.live.overlay= out at the boot prompt), "
    "or plug it into another Linux, and recover it there."
)


def of_overlay(system: LiveSystem, *, privileged: bool) -> Iterator[Finding]:
    """Whether it is there, can be used, and has room; `privileged`: looked at by root."""
    overlay = system.overlay
    # Without root "not-root" says it for an overlay in use.
    if overlay.unknown and (privileged or not overlay.in_use):
        yield Finding(Severity.WARNING, "overlay-unknown", f"The overlay: {overlay.unknown}")
    match overlay.state:
        case OverlayState.NONE:
            yield Finding(
                Severity.NOTICE,
                "overlay-none",
                "There is no persistent overlay: changes to the system are not kept.",
                "Save what you want to keep to another disk.",
            )
        case OverlayState.FOREIGN:
            yield Finding(
                Severity.BROKEN,
                "overlay-foreign",
                overlay.damage or "The overlay's file is none that the kernel would take.",
                _instead(system),
            )
        case OverlayState.INVALID:
            yield _invalid(system)
        case OverlayState.OVERFLOW:
            yield Finding(
                Severity.BROKEN,
                "overlay-overflow",
                "The overlay has overflowed: the system can be read, new writes fail.",
                f"Save open work to another disk or to home.img. {growth(system)}",
                offered(system, Operation.GROW),
            )
        case OverlayState.FULL:
            yield _full(system)
        case OverlayState.FILLING | OverlayState.OK | OverlayState.FRESH:
            yield from _of_fill(system)
    yield from _of_store_file(system)
    if overlay.in_use and overlay.kind is OverlayKind.TEMPORARY:
        yield Finding(
            Severity.NOTICE,
            "overlay-temporary",
            "Changes are kept in memory only and are gone after power off.",
            "Save what you want to keep to another disk.",
        )


def _instead(system: LiveSystem) -> str:
    """What helps where the overlay's file is none."""
    name, layout = system.overlay.path, system.layout
    if not layout.second_overlay_bytes:
        return "Leave it as it is and copy it before anything else."
    return (
        f"{layout.second_overlay}, {size(layout.second_overlay_bytes)}, lies beside it: a power "
        "cut while a merge exchanged the two, and a check of the FAT after it, leave the content "
        f"with one of them. Copy that file; then, with the stick not in use, rename it to {name}."
    )


def _invalid(system: LiveSystem) -> Finding:
    if system.overlay.in_use:
        return Finding(
            Severity.BROKEN,
            "overlay-invalid",
            "The kernel has marked the overlay Invalid: the root file system cannot be read.",
            _BOOT_WITHOUT,
        )
    return Finding(
        Severity.BROKEN,
        "overlay-invalid",
        "The overlay is marked Invalid: the stick does not boot with it. What is in it can "
        "usually be brought back.",
        f"Keep the stick as it is: what was written before is still in it. {recovery(system)}",
        offered(system, Operation.RECOVER),
    )


def _full(system: LiveSystem) -> Finding:
    if system.layout.kind is LayoutKind.OVERLAYFS:
        return Finding(
            Severity.BROKEN,
            "overlay-full",
            "The file system that holds the overlay is full: new writes fail.",
            "Delete what is not needed there.",
        )
    if system.overlay.in_use:
        return Finding(
            Severity.BROKEN,
            "overlay-full",
            "The overlay is full: the next write to a new place fails.",
            f"Save work to another disk, write nothing else. {growth(system)}",
            offered(system, Operation.GROW),
        )
    return Finding(
        Severity.BROKEN,
        "overlay-full",
        "The overlay is full: booted with it, the system fails at its first writes.",
        f"Keep the stick as it is; what is in it can be read. {recovery(system)}",
        offered(system, Operation.RECOVER),
    )


def _of_fill(system: LiveSystem) -> Iterator[Finding]:
    overlay = system.overlay
    fraction, seconds = overlay.fraction, overlay.seconds_until_full
    soon = seconds is not None and seconds < WARNING_SECONDS
    if fraction is None or (fraction < NOTICE_FRACTION and not soon):
        return
    left = amount(overlay.left_bytes)
    what = f"The overlay is {percent(fraction)} full, {left} left"
    text = f"{what}: full in {duration(seconds)} at this rate." if soon else f"{what}."
    growable = overlay.kind is OverlayKind.STORE and overlay.persistent
    if fraction < WARNING_FRACTION and not soon:
        yield Finding(
            Severity.NOTICE,
            "overlay-filling",
            text,
            f"There is time. {growth(system)}{_emptying(system)}"
            if growable
            else "Delete what is not needed before it fills.",
            offered(system, Operation.GROW),
        )
    elif not growable:
        yield Finding(
            Severity.WARNING, "overlay-filling", text, "Delete what is not needed, or write less."
        )
    else:
        # Not in use: nothing fills it now, and there is time.
        do = "Write less and move large files to home.img or another disk. "
        yield Finding(
            Severity.WARNING,
            "overlay-filling",
            text,
            f"{do if overlay.in_use else ''}{growth(system)}{_emptying(system)}",
            offered(system, Operation.GROW),
        )


def _emptying(system: LiveSystem) -> str:
    """What gives all of the overlay back, where that can be done."""
    if why_not(system, Operation.MERGE):
        return ""
    return f" A merge (m, or `liveos-tui merge{named(system.target)}`) empties it."


def _of_store_file(system: LiveSystem) -> Iterator[Finding]:
    overlay, free = system.overlay, system.host.usage.free_bytes
    if overlay.fragile_size and overlay.state not in ILL:
        yield Finding(
            Severity.WARNING,
            "overlay-fragile-size",
            "The overlay has one of the few sizes that break when they fill: it would become "
            "Invalid at once.",
            f"1 MiB more cures it. {growth(system)}",
            offered(system, Operation.GROW),
        )
    if free is not None and overlay.missing_bytes > free:
        yield Finding(
            Severity.WARNING,
            "overlay-sparse",
            f"The overlay's file lacks {size(overlay.missing_bytes)} that the stick has yet to "
            f"provide, and the stick has {amount(free)} left: the overlay would become Invalid.",
            f"Free {need(overlay.missing_bytes - free)} on the stick.",
        )


def of_memory(system: LiveSystem, available_bytes: int | None) -> Iterator[Finding]:
    """Whether changes kept in memory have room: it has `available_bytes`, None for not known."""
    overlay = system.overlay
    in_memory = overlay.in_use and not overlay.persistent
    if in_memory and available_bytes is not None and available_bytes < LEAST_MEMORY_BYTES:
        yield Finding(
            Severity.WARNING,
            "memory-low",
            f"Changes are kept in memory, and {amount(available_bytes)} of it is left.",
            "Delete new files or close programs; save work to another disk.",
        )


def of_unused_overlay(system: LiveSystem) -> Iterator[Finding]:
    """What lies on the stick while the system runs on another overlay."""
    unused, root = system.unused_overlay, system.unused_root
    if unused is None:
        return
    # Which overlay, of how many: the path is the stick's own name for it.
    name = unused.path or "An overlay"
    if unused.read_only:
        yield Finding(
            Severity.NOTICE,
            "overlay-frozen",
            f"{name} is frozen at this boot (readonly): nothing is added to it.",
            "Boot without rd.live.overlay.readonly to write to it again.",
        )
    elif unused.state is OverlayState.FOREIGN:
        yield Finding(
            Severity.WARNING,
            "unused-overlay-foreign",
            f"{name} is not in use at this boot. {unused.damage or ''}".strip(),
            "Leave it as it is and copy it before anything else.",
        )
    elif unused.state in ILL:
        yield Finding(
            Severity.BROKEN,
            f"unused-overlay-{unused.state}",
            f"{name} is not in use at this boot, and is {unused.state}.",
            f"Keep it as it is; what is in it can usually be brought back. {recovery(system)}",
            offered(system, Operation.RECOVER),
        )
    elif root is not None and root.clean is False:
        yield Finding(
            Severity.WARNING,
            "unused-overlay-errors",
            f"{name} is not in use at this boot, and the file system in it has noted errors.",
            recovery(system),
            offered(system, Operation.RECOVER),
        )
    else:
        yield Finding(
            Severity.NOTICE,
            "unused-overlay",
            f"{name} lies on this stick and is not in use at this boot.",
            "Boot with rd.live.overlay= to use it.",
        )
