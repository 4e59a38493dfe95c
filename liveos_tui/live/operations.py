"""What can be done to a system as it is, and why not: facts for the screens and for `status`."""

from liveos_tui.live.model import (
    LayoutKind,
    LiveSystem,
    Operation,
    Overlay,
    OverlayKind,
    OverlayState,
    Possibility,
)
from liveos_tui.live.words import size

FAT_FILE_LIMIT_BYTES = (1 << 32) - 1
"""The largest file of a FAT file system."""

_LEAST_GROWTH_BYTES = 1024 * 1024

ILL = frozenset({OverlayState.FULL, OverlayState.OVERFLOW, OverlayState.INVALID})
"""States in which nothing more can be written to an overlay."""

_EXT = frozenset({"ext2", "ext3", "ext4"})
_REPAIR_TOOLS = {"xfs": "xfs_repair", "btrfs": "btrfs check"}


def possibilities(system: LiveSystem) -> tuple[Possibility, ...]:
    """Judge every operation."""
    reasons = {
        Operation.RECOVER: _why_not_recover(system),
        Operation.GROW: _why_not_grow(system),
        Operation.MERGE: _why_not_merge(system),
        Operation.RESET: _why_not_reset(system),
    }
    return tuple(
        Possibility(operation, reason is None, reason) for operation, reason in reasons.items()
    )


def _why_not_store(system: LiveSystem, overlay: Overlay) -> str | None:
    """Why nothing at all can be done to this overlay."""
    if overlay.unknown and overlay.state is None:
        return f"How the overlay is, is not known: {overlay.unknown}"
    if overlay.state in {None, OverlayState.NONE}:
        return "There is no persistent overlay."
    if system.layout.kind is LayoutKind.OVERLAYFS or overlay.kind is not OverlayKind.STORE:
        if overlay.in_use and not overlay.persistent:
            return "The overlay in use is in memory: there is nothing on the stick to work on."
        return "Not yet: this overlay is an OverlayFS, whose files can be looked at directly."
    if overlay.state is OverlayState.FOREIGN:
        return "The overlay's file is no COW store that is known here; it is left alone."
    return None


def _persistent(system: LiveSystem) -> Overlay:
    """The overlay on the stick: the one that operations are about."""
    if system.overlay.in_use and not system.overlay.persistent and system.unused_overlay:
        return system.unused_overlay
    return system.overlay


def _why_not_recover(system: LiveSystem) -> str | None:
    overlay = _persistent(system)
    if reason := _why_not_store(system, overlay):
        return reason
    if overlay.state not in ILL and system.root.clean is not False:
        return "The overlay is neither Invalid nor full: there is nothing to recover."
    if overlay.in_use:
        return (
            "The overlay is in use by the running system. Grow it, or boot once without it and "
            "recover it then."
        )
    if system.root.filesystem is not None and system.root.filesystem not in _EXT:
        tool = _REPAIR_TOOLS.get(system.root.filesystem, "its own tool")
        return f"The root file system is {system.root.filesystem}: use {tool}."
    return None


def _why_not_grow(system: LiveSystem) -> str | None:
    overlay = _persistent(system)
    if reason := _why_not_store(system, overlay):
        return reason
    if overlay.state is OverlayState.INVALID:
        return "The overlay is Invalid: recover it first, which grows it as well."
    if overlay.read_only:
        return "The overlay is frozen at this boot (readonly)."
    free = system.host.usage.free_bytes
    if free is None:
        return "How much room the stick has is not known."
    if free < _LEAST_GROWTH_BYTES:
        return f"The stick has {size(free)} left: there is no room to grow into."
    at_limit = (overlay.total_bytes or 0) + _LEAST_GROWTH_BYTES > FAT_FILE_LIMIT_BYTES
    if system.target.filesystem == "vfat" and at_limit:
        return "The overlay is as large as a file on FAT can be (4 GiB)."
    return None


def _why_not_merge(system: LiveSystem) -> str | None:
    overlay = _persistent(system)
    if reason := _why_not_store(system, overlay):
        return reason
    if system.layout.image_damage:
        return "The image is damaged: there is nothing to merge into."
    if overlay.state is OverlayState.FRESH:
        return "The overlay is empty: there is nothing to merge."
    if overlay.state in ILL or overlay.damage or system.root.clean is False:
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
