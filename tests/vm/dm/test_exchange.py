"""A power cut at any moment while images are exchanged: the stick boots, from the old or the new.

dm-log-writes records what the kernel writes while the protocol runs. The disk is then made again as
it was after each of the writes, and as a disk with a cache of its own may have left it: without a
random part of what was not flushed.
"""

import random
import shutil
import struct
import subprocess
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest
from writelog import Write, replay, some_lost, writes

from liveos_tui.system.stick_writing import StickFolder

IMAGE, BESIDE, OVERLAY = "LiveOS/squashfs.img", "LiveOS/squashfs.alt", "LiveOS/overlay"
DISK_BYTES, LOG_BYTES = 40 << 20, 24 << 20
OLD = b"hsqs old" + random.Random(1).randbytes(300_000)
NEW = b"hsqs new" + random.Random(2).randbytes(270_000)
USED = b"SnAp" + random.Random(3).randbytes(60_000)
RESET = bytes(512) + USED[512:]
CUTS_WITH_A_CACHE = 60

FILESYSTEMS = {
    "vfat": ("mkfs.vfat", "-F", "32", "-s", "1"),
    "ext4": ("mkfs.ext4", "-q", "-F", "-O", "^has_journal"),
    "ext4 with a journal": ("mkfs.ext4", "-q", "-F"),
}


def protocol(mounted: Path) -> None:
    """Ours: write beside, on the medium, exchange the names, reset, let the old one go."""
    with StickFolder(mounted) as stick:
        stick.write_new(BESIDE, [(0, NEW)])
        stick.exchange(IMAGE, BESIDE)
        with stick.edit(OVERLAY) as overlay:
            overlay.write(0, bytes(512))
            overlay.sync()
        stick.remove(BESIDE)


def published(mounted: Path) -> None:
    """The wiki's: remove, write, zero the overlay."""
    (mounted / IMAGE).unlink()
    (mounted / IMAGE).write_bytes(NEW)
    with (mounted / OVERLAY).open("r+b") as overlay:
        overlay.write(bytes(512))
    run("sync")


def run(*argv: object) -> str:
    done = subprocess.run([str(word) for word in argv], capture_output=True, text=True, check=True)
    return done.stdout


@contextmanager
def looped(file: Path, *options: str) -> Iterator[str]:
    device = run("losetup", "--find", "--show", *options, file).strip()
    try:
        yield device
    finally:
        run("losetup", "--detach", device)


@contextmanager
def mounted(device: str, folder: Path, options: str) -> Iterator[Path]:
    folder.mkdir(exist_ok=True)
    run("mount", "-o", options, device, folder)
    try:
        yield folder
    finally:
        run("umount", folder)


@dataclass(frozen=True, slots=True)
class Recorded:
    """A stick before, and all that was written to it."""

    disk: Path
    log: Path
    writes: tuple[Write, ...]


def record(folder: Path, filesystem: str, change: Callable[[Path], None]) -> Recorded:
    """A stick with an old image and a used overlay, and what `change` writes to it."""
    disk, log, before = folder / "disk", folder / "log", folder / "before"
    for file, size in ((disk, DISK_BYTES), (log, LOG_BYTES)):
        with file.open("wb") as opened:
            opened.truncate(size)
    run(*FILESYSTEMS[filesystem], disk)
    with looped(disk) as device, mounted(device, folder / "mounted", "rw") as top:
        (top / "LiveOS").mkdir()
        (top / IMAGE).write_bytes(OLD)
        (top / OVERLAY).write_bytes(USED)
    shutil.copyfile(disk, before)
    with looped(disk) as device, looped(log) as log_device:
        table = f"0 {DISK_BYTES // 512} log-writes {device} {log_device}"
        run("dmsetup", "create", "logged", "--table", table)
        try:
            with mounted("/dev/mapper/logged", folder / "mounted", "rw") as top:
                change(top)
        finally:
            run("dmsetup", "remove", "logged")
    # The log's first sector: magic, version, number of entries (drivers/md/dm-log-writes.c).
    (entries,) = struct.unpack_from("<Q", log.read_bytes()[:24], 16)
    return Recorded(before, log, writes(log)[:entries])


def why_not_bootable(folder: Path, recorded: Recorded, kept: Sequence[int]) -> str:
    """What a boot would find wrong; empty where it boots with all that was there."""
    state = replay(recorded.disk, recorded.log, recorded.writes, kept, folder / "state")
    try:
        with looped(state) as device, mounted(device, folder / "mounted", "rw") as top:
            try:
                image, overlay = (top / IMAGE).read_bytes(), (top / OVERLAY).read_bytes()
            except OSError as error:
                return str(error)
    except subprocess.CalledProcessError as error:
        return str(error.stderr)
    if image not in {OLD, NEW}:
        return "the image is neither the old one nor the new one"
    if overlay == RESET and image == OLD:
        return "the overlay is empty, and what was in it is not in the image"
    if overlay not in {USED, RESET}:
        return "the overlay is damaged"
    return ""


def cuts(recorded: Recorded) -> Iterator[tuple[str, Sequence[int]]]:
    count = len(recorded.writes)
    for done in range(count + 1):
        yield f"after {done} of {count} writes", range(done)
    chance = random.Random(4)
    for seed in range(CUTS_WITH_A_CACHE):
        done = chance.randrange(count + 1)
        kept = some_lost(recorded.writes, done, seed)
        yield f"after {done} without {done - len(kept)}", kept


def unbootable(folder: Path, filesystem: str, change: Callable[[Path], None]) -> list[str]:
    recorded = record(folder, filesystem, change)
    print(f"{filesystem}, {change.__name__}: {len(recorded.writes)} writes", flush=True)
    found = [(cut, why_not_bootable(folder, recorded, kept)) for cut, kept in cuts(recorded)]
    bad = [f"{cut}: {why}" for cut, why in found if why]
    print(f"{filesystem}, {change.__name__}: {len(bad)} of {len(found)} states do not boot")
    return bad


@pytest.mark.parametrize(
    "filesystem",
    ["vfat", "ext4", pytest.param("ext4 with a journal", marks=pytest.mark.thorough)],
)
def test_whenever_the_power_goes_the_stick_boots(tmp_path: Path, filesystem: str) -> None:
    assert unbootable(tmp_path, filesystem, protocol) == []


@pytest.mark.parametrize("filesystem", ["vfat", "ext4"])
def test_the_published_sequence_is_the_control_that_fails(tmp_path: Path, filesystem: str) -> None:
    assert unbootable(tmp_path, filesystem, published) != []
