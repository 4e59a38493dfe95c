"""How much of what is in an overlay a new image takes over, and how well it can be compressed.

Blocks of deleted files stay in the overlay; in a new image they are zeros. How well the rest can be
compressed is seen by doing it with a sample, whole blocks of an image from all over the store.
"""

import time
from collections.abc import Mapping
from dataclasses import dataclass

from liveos_tui.errors import LiveosError
from liveos_tui.formats.cow import SECTOR_BYTES, CowSummary, iterate_exceptions, summarise
from liveos_tui.formats.ext4_groups import BlockGroups, read_groups
from liveos_tui.formats.images import Image
from liveos_tui.live.images import view_head
from liveos_tui.live.placing import overlay_meant
from liveos_tui.live.site import Site
from liveos_tui.system.files import OpenFile
from liveos_tui.system.probes import Probes
from liveos_tui.system.speeds import compressed_bytes

_SAMPLE_BYTES = 8 << 20
_MOST_BYTES = 2 * _SAMPLE_BYTES
_SAMPLE_SECONDS = 1.0
# Knuth's: in the order of these products neighbours lie far apart.
_SPREAD, _SPREAD_MASK = 2654435761, (1 << 32) - 1


@dataclass(frozen=True, slots=True)
class Changes:
    """What an overlay adds to a new image. Sizes are bytes.

    `used_bytes` of the overlay's chunks are used by the file system; compressed, they are about
    `ratio` times as large. `free_bytes` are those of the file system, None where its superblock
    tells.
    """

    used_bytes: int
    ratio: float
    free_bytes: int | None = None


def look_at_changes(probes: Probes, site: Site, image: Image) -> Changes | None:
    """Look into the overlay that is meant; None where that cannot be done."""
    overlay = overlay_meant(site)
    if overlay.path is None or site.mount_point is None:
        return None
    stick = probes.folder(site.mount_point)
    try:
        with stick.open(overlay.path) as file:
            store = summarise(file.read, file.identity.size_bytes)
            # A list that was made to harm may be endless, and its chunks as large as the memory.
            if store.damage or not store.exceptions or _chunk_bytes(store) > _block_bytes(image):
                return None
            groups = read_groups(view_head(probes, site, stick))
            return _look(probes, file, store, groups, image)
    except LiveosError:
        return None


def _chunk_bytes(store: CowSummary) -> int:
    return store.chunk_sectors * SECTOR_BYTES


def _block_bytes(image: Image) -> int:
    return image.block_bytes or 128 * 1024


def _look(
    probes: Probes, file: OpenFile, store: CowSummary, groups: BlockGroups | None, image: Image
) -> Changes | None:
    chunk_bytes, block_bytes = _chunk_bytes(store), _block_bytes(image)
    bitmaps = _bitmaps(file, groups, chunk_bytes)
    step = -(-store.exceptions * chunk_bytes // _SAMPLE_BYTES)
    used, picked, sampled = 0, 0, dict[int, list[tuple[int, int]]]()
    for old, new in iterate_exceptions(file.read, store.size_bytes):
        offset = old * chunk_bytes
        if groups is not None and not _is_used(groups, bitmaps, offset):
            continue
        used += 1
        block = offset // block_bytes
        if block % step == 0 and picked * chunk_bytes < _MOST_BYTES:
            picked += 1
            sampled.setdefault(block, []).append((offset, new * chunk_bytes))
    sample = _read(file, sampled, chunk_bytes)
    if not sample:
        return None
    compressor = image.compressor or ""
    made = compressed_bytes(probes.runner, sample, compressor, block_bytes, image.level)
    if made is None:
        return None
    free = groups.free_blocks * groups.block_bytes if groups is not None else None
    return Changes(used * chunk_bytes, min(1.0, made / len(sample)), free)


def _bitmaps(file: OpenFile, groups: BlockGroups | None, chunk_bytes: int) -> dict[int, bytes]:
    """The block bitmaps that the store holds, by group.

    One that is not there is the base's: no block of that group was freed or taken.
    """
    if groups is None or chunk_bytes != groups.block_bytes:
        return {}
    groups_at = {offset // chunk_bytes: group for group, offset in enumerate(groups.bitmaps)}
    return {
        groups_at[old]: file.read(new * chunk_bytes, chunk_bytes)
        for old, new in iterate_exceptions(file.read, file.identity.size_bytes)
        if old in groups_at
    }


def _is_used(groups: BlockGroups, bitmaps: Mapping[int, bytes], offset: int) -> bool:
    group, block = groups.place(offset)
    bitmap = bitmaps.get(group, b"")
    return block // 8 >= len(bitmap) or bool(bitmap[block // 8] >> block % 8 & 1)


def _read(file: OpenFile, sampled: Mapping[int, list[tuple[int, int]]], chunk_bytes: int) -> bytes:
    """The sampled chunks, block by block: what can be read in a short while."""
    until = time.monotonic() + _SAMPLE_SECONDS
    sample = bytearray()
    for block in sorted(sampled, key=lambda block: block * _SPREAD & _SPREAD_MASK):
        for _, place in sorted(sampled[block]):
            sample += file.read(place, chunk_bytes)
        if time.monotonic() > until:
            break
    return bytes(sample)
