"""What can be done to a system as it is, and why not: facts for the screens and for `status`."""

from liveos_tui.formats.cow_layout import DEFAULT_CHUNK_SECTORS, SECTOR_BYTES
from liveos_tui.live.facts import EXT, REPAIR_TOOLS
from liveos_tui.live.growth import (
    UNWRITABLE_FILESYSTEMS,
    choose_size,
    file_limit,
    kept_bytes,
    largest_size,
    repair_bytes,
)
from liveos_tui.live.model import (
    LayoutKind,
    LiveSystem,
    Operation,
    Overlay,
    OverlayKind,
    OverlayState,
    Possibility,
    RootFilesystem,
    TargetKind,
)
from liveos_tui.live.words import amount, need, size

ILL = frozenset({OverlayState.FULL, OverlayState.OVERFLOW, OverlayState.INVALID})
"""States in which nothing more can be written to an overlay."""


def possibilities(system: LiveSystem) -> tuple[Possibility, ...]:
    """Judge every operation."""
    reasons = {operation: why_not(system, operation) for operation in Operation}
    checks = {Operation.RECOVER} if _can_be_checked(system) else set()
    return tuple(
        Possibility(operation, reason is None, reason, on_request=operation in checks)
        for operation, reason in reasons.items()
    )


def why_not(system: LiveSystem, operation: Operation) -> str | None:
    """Why an operation cannot be done to this system, in a sentence; None where it can."""
    match operation:
        case Operation.RECOVER:
            return _why_not_recover(system)
        case Operation.GROW:
            return _why_not_grow(system)
        case Operation.MERGE:
            return _why_not_merge(system)
        case Operation.RESET:
            return _why_not_reset(system)


def _why_not_store(system: LiveSystem, overlay: Overlay) -> str | None:
    """Why nothing at all can be done to this overlay."""
    if overlay.unknown and overlay.state is None:
        return f"How the overlay is, is not known: {overlay.unknown}"
    if overlay.state in {None, OverlayState.NONE}:
        return "There is no persistent overlay."
    if system.layout.kind is LayoutKind.OVERLAYFS or overlay.kind is not OverlayKind.STORE:
        if overlay.in_use and not overlay.persistent:
            return "The overlay in use is in memory: there is nothing on the stick to work on."
        return (
            "This overlay is an OverlayFS: its files lie in a folder. It is watched here, and not "
            "worked on."
        )
    if overlay.state is OverlayState.FOREIGN:
        return "The overlay's file is damaged, or of a kind not known here: it is left alone."
    if overlay.path is None:
        return (
            "The overlay is a device of its own, and no file on the stick: it is watched here, and "
            "not worked on."
        )
    if system.target.filesystem in UNWRITABLE_FILESYSTEMS:
        return f"The stick's file system is {system.target.filesystem}, which cannot be written."
    if system.target.kind is TargetKind.FOLDER and system.target.writable is False:
        return "The folder lies on a file system that is mounted read-only."
    return None


def _persistent(system: LiveSystem) -> Overlay:
    """The overlay on the stick: the one that operations are about."""
    if system.overlay.in_use and not system.overlay.persistent and system.unused_overlay:
        return system.unused_overlay
    return system.overlay


def _root(system: LiveSystem) -> RootFilesystem:
    """The root file system as the overlay that operations are about shows it."""
    if _persistent(system) is system.unused_overlay:
        return system.unused_root or RootFilesystem()
    return system.root


def _why_not_recover(system: LiveSystem) -> str | None:
    if reason := _why_not_store(system, _persistent(system)):
        return reason
    if _seems_well(system):
        return "The overlay is neither Invalid nor full: there is nothing to recover."
    return _why_no_repair(system)


def _seems_well(system: LiveSystem) -> bool:
    overlay, root = _persistent(system), _root(system)
    unproven = root.superblock is not None and root.superblock.needs_recovery
    return overlay.state not in ILL and root.clean is not False and not unproven


def _can_be_checked(system: LiveSystem) -> bool:
    """Whether e2fsck can look at an overlay that seems to be well, and repair what it finds."""
    overlay = _persistent(system)
    holds = _why_not_store(system, overlay) is None and overlay.state is not OverlayState.FRESH
    return holds and _seems_well(system) and _why_no_repair(system) is None


def _why_no_repair(system: LiveSystem) -> str | None:
    """Why e2fsck cannot repair what is in a store."""
    overlay, root = _persistent(system), _root(system)
    if overlay.in_use:
        return (
            "The overlay is in use by the running system. Grow it, or boot once without it and "
            "recover it then."
        )
    if system.layout.image is None or system.layout.image_damage:
        return (
            "The base image is missing or damaged, and without it nothing can be recovered: get "
            "this very image again."
        )
    if root.filesystem is not None and root.filesystem not in EXT:
        tool = REPAIR_TOOLS.get(root.filesystem, "its own tool")
        return f"The root file system is {root.filesystem}: use {tool}."
    return _why_no_room_for_repair(system, overlay, root)


def _why_no_room_for_repair(
    system: LiveSystem, overlay: Overlay, root: RootFilesystem
) -> str | None:
    """Why the file cannot grow by what e2fsck may need."""
    used, total, room = overlay.used_bytes, overlay.total_bytes, room_to_grow(system)
    if used is None or total is None or room is None:
        return None
    chunk_bytes = DEFAULT_CHUNK_SECTORS * SECTOR_BYTES
    exceptions = max(0, used - (overlay.metadata_bytes or 0)) // chunk_bytes
    lacking = used + repair_bytes(root.superblock, exceptions, DEFAULT_CHUNK_SECTORS) - total
    if lacking > 0 and lacking > room:
        return (
            f"Its recovery may need {need(lacking)} more of the stick, and there is room for "
            f"{size(room)}: it can only be rehearsed."
        )
    kept = kept_bytes(overlay.metadata_bytes) + overlay.missing_bytes
    free = system.host.usage.free_bytes or 0
    if overlay.missing_bytes and free < kept:
        return (
            f"The overlay's holes and the job need {need(kept)} of the stick, and {size(free)} are "
            "left: it can only be rehearsed."
        )
    return None


def room_to_grow(system: LiveSystem) -> int | None:
    """By how many bytes the overlay's file can grow, 0 for not at all; None where it is not known.

    What a job needs for itself on the stick is left out, and what the file's holes will need.
    """
    overlay = _persistent(system)
    total, free = overlay.total_bytes, system.host.usage.free_bytes
    if total is None or free is None:
        return None
    most = largest_size(
        total,
        free_bytes=free,
        metadata_bytes=overlay.metadata_bytes or 0,
        missing_bytes=overlay.missing_bytes,
        limit_bytes=file_limit(system.target.filesystem),
    )
    best = choose_size(most, total + 1, most, DEFAULT_CHUNK_SECTORS)
    return best - total if best is not None else 0


def _has_ext_root(system: LiveSystem) -> bool:
    """Whether e2fsck can check what the overlay holds."""
    image = system.layout.image is not None and not system.layout.image_damage
    return image and _root(system).filesystem in EXT


def _why_not_grow(system: LiveSystem) -> str | None:
    overlay = _persistent(system)
    if reason := _why_not_store(system, overlay):
        return reason
    if overlay.read_only:
        return "The overlay is frozen: boot without rd.live.overlay.readonly to change it."
    if overlay.state is OverlayState.INVALID:
        if overlay.in_use:
            return "The overlay is Invalid: boot once without it and recover it then."
        return "The overlay is Invalid: recover it, which grows it as well."
    if overlay.state is OverlayState.FULL and not overlay.in_use and _has_ext_root(system):
        return "The overlay is full: recover it, which grows it as well."
    room = room_to_grow(system)
    if room is None:
        return "How much room the stick has is not known."
    if room > 0:
        return None
    limit = file_limit(system.target.filesystem)
    if (
        limit is not None
        and (overlay.total_bytes or 0) + DEFAULT_CHUNK_SECTORS * SECTOR_BYTES > limit
    ):
        return "The overlay is as large as a file on FAT can be (4 GiB)."
    kept = need(kept_bytes(overlay.metadata_bytes) + overlay.missing_bytes)
    return (
        f"The stick has {amount(system.host.usage.free_bytes)} left, and {kept} are needed "
        "otherwise: there is no room to grow into."
    )


def _why_not_merge(system: LiveSystem) -> str | None:
    overlay = _persistent(system)
    if reason := _why_not_store(system, overlay):
        return reason
    if system.layout.image_damage:
        return "The image is damaged: get this very image again before anything is merged."
    if overlay.state is OverlayState.FRESH:
        return "The overlay is empty: there is nothing to merge."
    if overlay.state in ILL or overlay.damage or _root(system).clean is False:
        return "Recover the overlay first: only a clean file system can be merged."
    return None


def _why_not_reset(system: LiveSystem) -> str | None:
    overlay = _persistent(system)
    if reason := _why_not_store(system, overlay):
        return reason
    if overlay.in_use:
        return (
            "The overlay is in use by the running system. Boot once with rd.live.overlay.reset "
            "to start with an empty one."
        )
    if overlay.state is OverlayState.FRESH:
        return "The overlay is empty already."
    return None
