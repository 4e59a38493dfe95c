"""Diagnoses of overlays that are ill in one way or another, as values."""

from dataclasses import replace
from pathlib import Path

from liveos_tui.formats.cow import SECTOR_BYTES, CowHeader, CowSummary
from liveos_tui.formats.cow_layout import skip_metadata
from liveos_tui.formats.ext4 import ExtSuperblock, parse_superblock
from liveos_tui.live.diagnosis import Cause, Diagnosis, Fact, Illness
from liveos_tui.live.growth import FAT_FILE_LIMIT_BYTES
from liveos_tui.live.place import Place

MIB = 1 << 20
GIB = 1 << 30
SUPERBLOCK = parse_superblock((Path(__file__).parents[1] / "data/ext/ext4.superblock").read_bytes())

PLACE = Place(
    target="/dev/sdc1",
    name="STICK2",
    overlay="LiveOS/overlay-STICK2-0BAD-F00D",
    image="LiveOS/squashfs.img",
    base="LiveOS/rootfs.img",
    mount_point="/run/media/me/STICK2",
    device="/dev/sdc1",
    label="STICK2",
    uuid="0BAD-F00D",
    filesystem="vfat",
    number="8:33",
    store_header=CowHeader(valid=False).to_bytes().hex(),
    overlay_bytes=512 * MIB,
)


def root(*, journal_bytes: int = 32 * MIB, unmounted: bool = False) -> ExtSuperblock:
    """The superblock of a root file system; `unmounted`: its journal has nothing to replay."""
    features = SUPERBLOCK.features - {"needs_recovery"}
    return replace(
        SUPERBLOCK,
        blocks=8 * GIB // SUPERBLOCK.block_bytes,
        journal_blocks=journal_bytes // SUPERBLOCK.block_bytes,
        features=features if unmounted else features | {"needs_recovery"},
        errors=False,
        error_count=0,
    )


def store(
    file_bytes: int = 512 * MIB,
    *,
    valid: bool = True,
    chunk_sectors: int = 8,
    used: float = 1.0,
) -> CowSummary:
    """A store of this size, used to this part of its chunks."""
    per_area = chunk_sectors * SECTOR_BYTES // 16
    chunks = file_bytes // (chunk_sectors * SECTOR_BYTES)
    next_free = max(2, int(chunks * used))
    areas = max(0, next_free - 2) // (per_area + 1) + 1
    return CowSummary(
        CowHeader(valid=valid, chunk_sectors=chunk_sectors),
        file_bytes,
        chunk_sectors,
        exceptions=max(0, next_free - 1 - areas),
        areas=areas,
        next_free_chunk=skip_metadata(next_free, chunk_sectors),
    )


def diagnosis(
    illness: Illness = Illness.INVALID,
    *,
    file_bytes: int = 512 * MIB,
    used: float | None = None,
    free_bytes: int | None = 2 * GIB,
    chunk_sectors: int = 8,
    missing_bytes: int = 0,
    limit_bytes: int | None = FAT_FILE_LIMIT_BYTES,
    cause: Cause | None = None,
    in_use: bool = False,
    facts: tuple[Fact, ...] = (),
) -> Diagnosis:
    """An overlay of a FAT stick with this illness; full where the illness means that."""
    full = illness in {Illness.INVALID, Illness.FULL, Illness.OVERFLOW}
    summary = store(
        file_bytes,
        valid=illness is not Illness.INVALID,
        chunk_sectors=chunk_sectors,
        used=(1.0 if full else 0.5) if used is None else used,
    )
    if illness is Illness.INVALID and cause is None:
        cause = Cause.SPACE
    return Diagnosis(
        place=replace(PLACE, overlay_bytes=file_bytes),
        illness=illness,
        facts=facts,
        cause=cause,
        header=summary.header,
        summary=summary,
        file_bytes=file_bytes,
        missing_bytes=missing_bytes,
        free_bytes=free_bytes,
        file_limit_bytes=limit_bytes,
        in_use=in_use,
        device="live-rw" if in_use else None,
        loop="7:2" if in_use else None,
        persistence="PO" if in_use else None,
        stick_writable=True,
        base_bytes=8 * GIB,
        base=root(),
        view=root(),
        root_filesystem="ext4",
    )
