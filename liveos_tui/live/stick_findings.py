"""What matters about the rest of the stick: image, root, home.img and the stick's file system."""

from collections.abc import Iterator

from liveos_tui.live.growth import kept_bytes
from liveos_tui.live.model import (
    Finding,
    HomeState,
    LiveSystem,
    Operation,
    OverlayKind,
    OverlayState,
    Severity,
    Target,
    TargetKind,
)
from liveos_tui.live.operations import ILL
from liveos_tui.live.remedies import named, offered, recovery
from liveos_tui.live.words import amount, need, percent, size

FILESYSTEM_WARNING_FRACTION = 0.95

_WELL = frozenset({OverlayState.FRESH, OverlayState.OK})


def of_image(system: LiveSystem) -> Iterator[Finding]:
    """Whether the image can be used, and whether a merge has left another one."""
    if system.layout.unknown:
        yield Finding(Severity.NOTICE, "image-unknown", f"The image: {system.layout.unknown}")
    if system.layout.image_damage:
        yield Finding(
            Severity.BROKEN,
            "image-damaged",
            system.layout.image_damage,
            _instead(system),
        )
    elif system.layout.second:
        yield Finding(
            Severity.NOTICE,
            "second-image",
            f"{system.layout.second}, {size(system.layout.second_bytes)}, is the other image of a "
            "merge: the old one, kept for the way back, or the new one until it is done.",
            "Its job says which, and how to let it go: j Jobs, or `liveos-tui jobs"
            f"{named(system.target, '--target ')}`. Of no job: move it to another disk.",
        )


def _instead(system: LiveSystem) -> str:
    """What helps where the image is damaged or not there."""
    layout = system.layout
    if layout.second and layout.second_bytes:
        return (
            f"{layout.second}, {size(layout.second_bytes)}, is the other image of a merge: "
            "its job can go on, or back (j Jobs, or `liveos-tui jobs"
            f"{named(system.target, '--target ')}`). Keep both until then."
        )
    return "Get this very image again and keep the overlay: it fits no other."


def of_root(system: LiveSystem) -> Iterator[Finding]:
    """Whether the root file system has room, can be written and is well."""
    root = system.root
    if root.unknown:
        yield Finding(Severity.NOTICE, "root-unknown", f"The root file system: {root.unknown}")
    fraction = root.usage.fraction
    if fraction is not None and fraction >= FILESYSTEM_WARNING_FRACTION:
        yield Finding(
            Severity.WARNING,
            "root-full",
            f"The root file system is {percent(fraction)} full, "
            f"{amount(root.usage.free_bytes)} left. Growing the overlay does not help here.",
            "Delete what is not needed.",
        )
    booted_read_only = system.overlay.in_use and root.read_only
    if booted_read_only and system.overlay.state not in ILL:
        yield Finding(
            Severity.WARNING,
            "root-read-only",
            "The root file system is mounted read-only: nothing can be changed in it.",
            "Save open work to another disk; the kernel's log (dmesg) tells the reason.",
        )
    if root.clean is False:
        yield Finding(
            Severity.WARNING,
            "root-errors",
            "The root file system has noted errors in itself.",
            "Have it checked and repaired before it is used again. " + recovery(system),
            offered(system, Operation.RECOVER),
        )


def of_home(system: LiveSystem) -> Iterator[Finding]:
    """Whether home.img can be read, and has room."""
    home = system.home
    fraction = home.usage.fraction
    match home.state:
        case HomeState.LOCKED:
            yield Finding(
                Severity.NOTICE,
                "home-locked",
                "home.img is encrypted (LUKS) and locked: how full it is shows once it is open.",
            )
        case HomeState.UNREADABLE:
            yield Finding(
                Severity.WARNING,
                "home-unreadable",
                f"home.img: {home.unknown or 'it holds no file system that is known here.'}",
            )
        case HomeState.MOUNTED | HomeState.UNMOUNTED if (
            fraction is not None and fraction >= FILESYSTEM_WARNING_FRACTION
        ):
            yield Finding(
                Severity.WARNING,
                "home-full",
                f"home.img is {percent(fraction)} full, {amount(home.usage.free_bytes)} left.",
                "Delete what is not needed.",
            )


def of_host(system: LiveSystem) -> Iterator[Finding]:
    """Whether the stick's own file system can be seen and written."""
    if system.host.unknown:
        yield Finding(Severity.WARNING, "stick-unknown", f"The stick: {system.host.unknown}")
    if _is_read_only_stick(system.target) and system.overlay.in_use:
        yield Finding(
            Severity.NOTICE,
            "stick-read-only",
            "The stick's own file system is mounted read-only.",
            "It is made writable for a job, and only for as long.",
        )


def of_room(system: LiveSystem) -> Iterator[Finding]:
    """Whether the stick has room for a job; where the overlay is filling or ill, that says it."""
    overlay, free = system.overlay, system.host.usage.free_bytes
    kept = kept_bytes(overlay.metadata_bytes)
    works = overlay.kind is OverlayKind.STORE and overlay.state in _WELL
    if works and overlay.persistent and free is not None and free < kept:
        yield Finding(
            Severity.NOTICE,
            "stick-full",
            f"The stick has {amount(free)} left: to grow the overlay, or to recover it, takes "
            f"{need(kept)} for the job alone.",
            "It works on as it is; free some before that is needed.",
        )


def _is_read_only_stick(target: Target) -> bool:
    return target.kind is TargetKind.LIVE and target.writable is False
