"""What matters now: findings in words, the worst first, each with what helps."""

from collections.abc import Iterator
from dataclasses import replace

from liveos_tui.live.model import (
    Finding,
    HomeState,
    LayoutKind,
    LiveSystem,
    Operation,
    Overlay,
    OverlayKind,
    OverlayState,
    Severity,
    Target,
    TargetKind,
)
from liveos_tui.live.operations import ILL, possibilities, room_to_grow, why_not
from liveos_tui.live.words import duration, percent, size

# lvm2's dmeventd begins to warn at 80 %; 5 % of a 512 MiB overlay is one package update, so a
# notice comes before and a call to act before the last tenth.
NOTICE_FRACTION = 0.70
WARNING_FRACTION = 0.80
WARNING_SECONDS = 3600.0
FILESYSTEM_WARNING_FRACTION = 0.95
LEAST_MEMORY_BYTES = 128 * 1024 * 1024


_BOOT_WITHOUT = (
    "Boot this stick once without its overlay (leave rd.live.overlay= out at the boot prompt), "
    "or plug it into another Linux, and recover it there."
)


def fill_state(overlay: Overlay) -> OverlayState:
    """The state of a healthy overlay by its fill: ok or filling."""
    fraction, seconds = overlay.fraction, overlay.seconds_until_full
    if fraction is not None and fraction >= WARNING_FRACTION:
        return OverlayState.FILLING
    if seconds is not None and seconds < WARNING_SECONDS:
        return OverlayState.FILLING
    return OverlayState.OK


def judge(
    system: LiveSystem, *, available_memory_bytes: int | None = None, privileged: bool = True
) -> LiveSystem:
    """Add findings and operations to what was measured."""
    ranks = list(Severity)
    findings = [
        *_of_overlay(system, privileged=privileged),
        *_of_memory(system, available_memory_bytes),
        *_of_unused_overlay(system),
        *_of_image(system),
        *_of_root(system),
        *_of_home(system),
        *_of_host(system),
        *_of_privilege(system, privileged=privileged),
    ]
    # Stable: of two that matter as much, the one about the overlay comes first.
    findings.sort(key=lambda finding: -ranks.index(finding.severity))
    return replace(system, findings=tuple(findings), operations=possibilities(system))


def _growth(system: LiveSystem) -> str:
    """By how much the overlay can be grown, or why not."""
    if reason := why_not(system, Operation.GROW):
        return reason
    text = f"It can be grown by up to {size(room_to_grow(system))}"
    if system.overlay.state is OverlayState.OVERFLOW:
        return f"{text}; it takes writes again after a reboot."
    return f"{text}, no reboot needed." if system.overlay.in_use else f"{text}."


def _recovery(system: LiveSystem) -> str:
    """That the overlay can be recovered, or why not."""
    return why_not(system, Operation.RECOVER) or "It can be recovered."


def _offered(system: LiveSystem, operation: Operation) -> Operation | None:
    """The operation where it can be done."""
    return operation if why_not(system, operation) is None else None


def _of_overlay(system: LiveSystem, *, privileged: bool) -> Iterator[Finding]:
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
                "Leave it as it is and copy it before anything else.",
            )
        case OverlayState.INVALID:
            yield _invalid(system)
        case OverlayState.OVERFLOW:
            yield Finding(
                Severity.BROKEN,
                "overlay-overflow",
                "The overlay has overflowed: the system can be read, new writes fail.",
                f"Save open work to another disk or to home.img. {_growth(system)}",
                _offered(system, Operation.GROW),
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
        f"Keep the stick as it is; nothing in it is lost yet. {_recovery(system)}",
        _offered(system, Operation.RECOVER),
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
            f"Save work to another disk, write nothing else. {_growth(system)}",
            _offered(system, Operation.GROW),
        )
    return Finding(
        Severity.BROKEN,
        "overlay-full",
        "The overlay is full: booted with it, the system fails at its first writes.",
        f"Keep the stick as it is; what is in it can be read. {_recovery(system)}",
        _offered(system, Operation.RECOVER),
    )


def _of_fill(system: LiveSystem) -> Iterator[Finding]:
    overlay = system.overlay
    fraction, seconds = overlay.fraction, overlay.seconds_until_full
    soon = seconds is not None and seconds < WARNING_SECONDS
    if fraction is None or (fraction < NOTICE_FRACTION and not soon):
        return
    left = size(overlay.left_bytes)
    what = f"The overlay is {percent(fraction)} full, {left} left"
    text = f"{what}: full in {duration(seconds)} at this rate." if soon else f"{what}."
    growable = overlay.kind is OverlayKind.STORE and overlay.persistent
    if fraction < WARNING_FRACTION and not soon:
        yield Finding(Severity.NOTICE, "overlay-filling", text)
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
            f"{do if overlay.in_use else ''}{_growth(system)}",
            _offered(system, Operation.GROW),
        )


def _of_store_file(system: LiveSystem) -> Iterator[Finding]:
    overlay, free = system.overlay, system.host.usage.free_bytes
    if overlay.fragile_size and overlay.state not in ILL:
        yield Finding(
            Severity.WARNING,
            "overlay-fragile-size",
            "The overlay has one of the few sizes that break when they fill: it would become "
            "Invalid at once.",
            f"1 MiB more cures it. {_growth(system)}",
            _offered(system, Operation.GROW),
        )
    if free is not None and overlay.missing_bytes > free:
        yield Finding(
            Severity.WARNING,
            "overlay-sparse",
            f"The overlay's file lacks {size(overlay.missing_bytes)} that the stick has yet to "
            f"provide, and the stick has {size(free)} left: the overlay would become Invalid.",
            f"Free {size(overlay.missing_bytes - free)} on the stick.",
        )


def _of_memory(system: LiveSystem, available_bytes: int | None) -> Iterator[Finding]:
    overlay = system.overlay
    in_memory = overlay.in_use and not overlay.persistent
    if in_memory and available_bytes is not None and available_bytes < LEAST_MEMORY_BYTES:
        yield Finding(
            Severity.WARNING,
            "memory-low",
            f"Changes are kept in memory, and {size(available_bytes)} of memory are left.",
            "Delete new files or close programs; save work to another disk.",
        )


def _of_unused_overlay(system: LiveSystem) -> Iterator[Finding]:
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
            f"Keep it as it is; what is in it can usually be brought back. {_recovery(system)}",
            _offered(system, Operation.RECOVER),
        )
    elif root is not None and root.clean is False:
        yield Finding(
            Severity.WARNING,
            "unused-overlay-errors",
            f"{name} is not in use at this boot, and the file system in it has noted errors.",
            _recovery(system),
            _offered(system, Operation.RECOVER),
        )
    else:
        yield Finding(
            Severity.NOTICE,
            "unused-overlay",
            f"{name} lies on this stick and is not in use at this boot.",
            "Boot with rd.live.overlay= to use it.",
        )


def _of_image(system: LiveSystem) -> Iterator[Finding]:
    if system.layout.unknown:
        yield Finding(Severity.NOTICE, "image-unknown", f"The image: {system.layout.unknown}")
    if system.layout.image_damage:
        yield Finding(
            Severity.BROKEN,
            "image-damaged",
            system.layout.image_damage,
            "Get this very image again and keep the overlay: it fits no other.",
        )
    if system.layout.second:
        yield Finding(
            Severity.NOTICE,
            "second-image",
            f"{system.layout.second}, {size(system.layout.second_bytes)}, is the other image of a "
            "merge: it is kept for the way back.",
            "When the stick has booted and is well, let it go: `liveos-tui jobs`, then `jobs "
            "forget` (f in the console's jobs).",
        )


def _of_root(system: LiveSystem) -> Iterator[Finding]:
    root = system.root
    if root.unknown:
        yield Finding(Severity.NOTICE, "root-unknown", f"The root file system: {root.unknown}")
    fraction = root.usage.fraction
    if fraction is not None and fraction >= FILESYSTEM_WARNING_FRACTION:
        yield Finding(
            Severity.WARNING,
            "root-full",
            f"The root file system is {percent(fraction)} full, "
            f"{size(root.usage.free_bytes)} left. Growing the overlay does not help here.",
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
            "Have it checked and repaired before it is used again. " + _recovery(system),
            _offered(system, Operation.RECOVER),
        )


def _of_home(system: LiveSystem) -> Iterator[Finding]:
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
                f"home.img is {percent(fraction)} full, {size(home.usage.free_bytes)} left.",
                "Delete what is not needed.",
            )


def _of_host(system: LiveSystem) -> Iterator[Finding]:
    if system.host.unknown:
        yield Finding(Severity.WARNING, "stick-unknown", f"The stick: {system.host.unknown}")
    if _is_read_only_stick(system.target) and system.overlay.in_use:
        yield Finding(
            Severity.NOTICE,
            "stick-read-only",
            "The stick's own file system is mounted read-only.",
            "It is made writable for a job, and only for as long.",
        )


def _is_read_only_stick(target: Target) -> bool:
    return target.kind is TargetKind.LIVE and target.writable is False


def _of_privilege(system: LiveSystem, *, privileged: bool) -> Iterator[Finding]:
    hidden = (system.overlay.unknown, system.layout.unknown, system.home.unknown)
    if not privileged and any(reason and "by others only" in reason for reason in hidden):
        yield Finding(
            Severity.WARNING,
            "not-readable",
            "Some files of the stick may be read by root only.",
            "Run it as root to see everything.",
        )
    if not privileged and system.overlay.in_use and system.layout.kind is LayoutKind.SNAPSHOT:
        yield Finding(
            Severity.NOTICE,
            "not-root",
            "Without root the kernel does not say whether the overlay is Invalid or overflowed: "
            "the figures are the store's own.",
            "Run it as root to see everything.",
        )
