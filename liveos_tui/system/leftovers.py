"""What a job of a given name has made on this machine, found again when it was killed."""

import json
import os
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from liveos_tui.errors import LiveosError
from liveos_tui.formats.mountinfo import parse_mountinfo
from liveos_tui.formats.text import clean
from liveos_tui.system.devicemapper import DeviceMapper
from liveos_tui.system.files import read_small
from liveos_tui.system.joining import part_name
from liveos_tui.system.loops import detach, loop_of, loops, loops_of
from liveos_tui.system.mounts import RUN_FOLDER
from liveos_tui.system.runner import Runner

PARTS = ("trial", "view", "store")
"""The dm devices of a job, those on top first."""

_MOUNT_TIMEOUT_SECONDS = 60.0
_ATTACHING = "attaching"


def job_folder(name: str) -> Path:
    """A private folder for a job's mounts and small files; made when it is not there."""
    part_name(name, "")
    RUN_FOLDER.mkdir(mode=0o755, parents=True, exist_ok=True)
    folder = RUN_FOLDER / "views" / name
    folder.parent.mkdir(mode=0o700, exist_ok=True)
    folder.mkdir(mode=0o700, exist_ok=True)
    return folder


def forget_folder(name: str) -> None:
    """Remove a job's folder when nothing is in it."""
    with suppress(OSError):
        (RUN_FOLDER / "views" / name).rmdir()


@contextmanager
def job_loop(runner: Runner, name: str, file: Path, *, read_only: bool) -> Iterator[Path]:
    """`loops.loop_of` for a job.

    For the moment in which the device would outlive a killed process, a note says what it is.
    """
    note = job_folder(name) / _ATTACHING
    known = [str(device) for device in loops_of(runner, file)]
    note.write_text(json.dumps({"file": os.fspath(file), "known": known}), encoding="utf-8")
    try:
        with loop_of(runner, file, read_only=read_only) as device:
            note.unlink()
            yield device
    finally:
        note.unlink(missing_ok=True)
        forget_folder(name)


def unmount(runner: Runner, folder: Path) -> None:
    """Take a mount down; one that is busy is taken out of sight and goes when it is not."""
    try:
        runner.run(["umount", str(folder)], timeout=_MOUNT_TIMEOUT_SECONDS)
    except LiveosError:
        runner.run(["umount", "--lazy", str(folder)], timeout=_MOUNT_TIMEOUT_SECONDS)


def clean_up(runner: Runner, mapper: DeviceMapper, name: str) -> tuple[str, ...]:
    """See `Joiner.clean_up`."""
    folder = RUN_FOLDER / "views" / name
    gone = []
    base = folder / "base"
    for mount in _mounts_below(folder):
        if mount != base:
            unmount(runner, mount)
            gone.append(f"mount {clean(str(mount))}")
    devices = {device.name for device in mapper.table()}
    for part in PARTS:
        device = part_name(name, part)
        if device in devices:
            mapper.remove(device)
            gone.append(f"device {device}")
    for loop in (*_loops_below(runner, folder), *_loops_being_attached(runner, folder)):
        detach(runner, loop)
        gone.append(f"loop {loop}")
    if base in _mounts_below(folder):
        unmount(runner, base)
        gone.append(f"mount {clean(str(base))}")
    for left in (base, folder / _ATTACHING, folder / "header"):
        with suppress(OSError):
            left.rmdir() if left.is_dir() else left.unlink()
    forget_folder(name)
    return tuple(gone)


def _mounts_below(folder: Path) -> list[Path]:
    """Mount points in a job's folder, the deepest and latest first."""
    mounts = parse_mountinfo(read_small(Path("/proc/self/mountinfo"), 1 << 24) or "")
    points = [Path(mount.mount_point) for mount in mounts]
    return [point for point in reversed(points) if point.is_relative_to(folder)]


def _loops_below(runner: Runner, folder: Path) -> list[Path]:
    return [
        Path("/dev", loop.name)
        for loop in loops(Path("/"), runner, privileged=False)
        if Path(loop.backing).is_relative_to(folder)
    ]


def _loops_being_attached(runner: Runner, folder: Path) -> list[Path]:
    """The loop device that a process was making when it was killed."""
    try:
        note = json.loads(read_small(folder / _ATTACHING) or "")
        file, known = Path(note["file"]), list(note["known"])
        return [loop for loop in loops_of(runner, file) if str(loop) not in known]
    except (ValueError, KeyError, TypeError, OSError):
        return []
