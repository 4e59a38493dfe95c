"""File systems inside files: read by their superblock, never mounted."""

from liveos_tui.errors import FormatError, LiveosError, UnreadableError
from liveos_tui.formats.cow import CowError, iterate_exceptions, parse_header
from liveos_tui.formats.cow_layout import HEADER_BYTES
from liveos_tui.formats.ext4 import (
    SUPERBLOCK_BYTES,
    SUPERBLOCK_OFFSET,
    ExtSuperblock,
    parse_superblock,
)
from liveos_tui.formats.images import HEAD_BYTES
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


def view_head(probes: Probes, site: Site, stick: Folder) -> bytes:
    """The first `HEAD_BYTES` of the root file system as it is under base and overlay.

    Raises LiveosError when the base cannot be read and the overlay does not hold its start.
    """
    changed = changed_chunks(stick, site)
    try:
        head = base_head(probes, site, stick)
    except LiveosError:
        if 0 not in changed:
            raise
        head = bytes(HEAD_BYTES)
    return overlaid(head, changed)


def overlaid(head: bytes, changed: dict[int, bytes]) -> bytes:
    """The head of a base image with an overlay's chunks over it."""
    view = bytearray(head)
    for offset, data in changed.items():
        view[offset : offset + len(data)] = data
    return bytes(view)


def base_head(probes: Probes, site: Site, stick: Folder) -> bytes:
    """The first `HEAD_BYTES` of the base image, without the overlay. Raises LiveosError."""
    if site.image is None:
        return b""
    if site.layout.base is not None:
        return squashfs.read_start(
            probes.runner, stick.path / site.image, site.layout.base, HEAD_BYTES
        )
    with stick.open(site.image) as file:
        return file.read(0, HEAD_BYTES)


def changed_chunks(stick: Folder, site: Site) -> dict[int, bytes]:
    """Chunks of the head that the overlay holds, by their offset in the root, in bytes.

    Raises UnreadableError.
    """
    path = site.overlay.path
    if site.overlay.kind is not OverlayKind.STORE or path is None:
        return {}
    with stick.open(path) as file:
        length = file.identity.size_bytes
        try:
            header = parse_header(file.read(0, HEADER_BYTES))
            if header is None:
                return {}
            chunk_bytes = header.chunk_bytes
            return {
                old * chunk_bytes: file.read(new * chunk_bytes, min(chunk_bytes, HEAD_BYTES))
                for old, new in iterate_exceptions(file.read, length)
                if old * chunk_bytes < HEAD_BYTES
            }
        except CowError as error:
            raise UnreadableError("what the overlay has changed in it cannot be read.") from error
