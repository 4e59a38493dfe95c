"""File systems inside files: read by their superblock, never mounted."""

from liveos_tui.errors import FormatError
from liveos_tui.formats.cow import CowError, iterate_exceptions, summarise
from liveos_tui.formats.cow_layout import SECTOR_BYTES
from liveos_tui.formats.ext4 import (
    SUPERBLOCK_BYTES,
    SUPERBLOCK_OFFSET,
    ExtSuperblock,
    parse_superblock,
)
from liveos_tui.live.model import OverlayKind, Usage
from liveos_tui.live.site import Site
from liveos_tui.system import squashfs
from liveos_tui.system.files import Folder, OpenFile
from liveos_tui.system.probes import Probes


def ext_usage(stick: Folder, path: str) -> Usage | None:
    """Room in an ext file system in a file; None when it holds none."""
    with stick.open(path) as file:
        superblock = ext_superblock(file)
    return None if superblock is None else room(superblock)


def ext_superblock(file: OpenFile) -> ExtSuperblock | None:
    """The superblock of an ext file system in a file; None when it holds none."""
    try:
        return parse_superblock(file.read(SUPERBLOCK_OFFSET, SUPERBLOCK_BYTES))
    except FormatError:
        return None


def room(superblock: ExtSuperblock) -> Usage:
    """Room as `df` would print it, were the file system mounted."""
    return Usage(superblock.used_bytes, superblock.total_bytes, superblock.available_bytes)


def root_start(probes: Probes, site: Site, stick: Folder) -> bytes:
    """The first 2 KiB of the root file system as it is under base and overlay.

    That is where every file system that matters here has its signature. Raises LiveosError.
    """
    size = SUPERBLOCK_OFFSET + SUPERBLOCK_BYTES
    changed = _from_overlay(stick, site, size)
    if changed is not None:
        return changed
    if site.image is None:
        return b""
    if site.layout.base is not None:
        return squashfs.read_start(
            probes.runner, stick.path / site.image, site.layout.base, size
        )
    with stick.open(site.image) as file:
        return file.read(0, size)


def _from_overlay(stick: Folder, site: Site, size: int) -> bytes | None:
    """The start of the root where the overlay holds it; None where it is as in the base."""
    path = site.overlay.path
    if site.overlay.kind is not OverlayKind.STORE or path is None:
        return None
    with stick.open(path) as file:
        length = file.identity.size_bytes
        try:
            chunk_bytes = summarise(file.read, length).chunk_sectors * SECTOR_BYTES
            if chunk_bytes < size:
                return None
            for old, new in iterate_exceptions(file.read, length):
                if old == 0:
                    return file.read(new * chunk_bytes, size)
        except CowError:
            return None
    return None
