"""What a job of a given name has made on this machine, found again when it was killed."""

import json
import os
import signal
import stat
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from liveos_tui.errors import LiveosError
from liveos_tui.formats.mountinfo import parse_mountinfo
from liveos_tui.formats.text import clean
from liveos_tui.system.devicemapper import DeviceMapper
from liveos_tui.system.files import read_small
from liveos_tui.system.joining import part_name
from liveos_tui.system.loops import detach, file_identity, loop_of, loops, loops_of
from liveos_tui.system.mounts import RUN_FOLDER
from liveos_tui.system.runner import Runner

PARTS = ("mirror", "trial", "view", "store")
"""The dm devices of a job, those on top first."""

_MOUNT_TIMEOUT_SECONDS = 60.0
_ATTACHING = "attaching"
_END_SECONDS = 2.0


def job_folder(name: str) -> Path:
    """A private folder for a job's mounts and small files; made when it is not there."""
    folder = _folder(name)
    try:
        RUN_FOLDER.mkdir(mode=0o755, parents=True, exist_ok=True)
        folder.parent.mkdir(mode=0o700, exist_ok=True)
        folder.mkdir(mode=0o700, exist_ok=True)
    except OSError as error:
        raise _no_folder(folder, error) from error
    return folder


def forget_folder(name: str) -> None:
    """Remove a job's folder when nothing is in it."""
    with suppress(OSError):
        _folder(name).rmdir()


@contextmanager
def job_loop(runner: Runner, name: str, file: Path, *, read_only: bool) -> Iterator[Path]:
    """`loops.loop_of` for a job.

    For the moment in which the device would outlive a killed process, a note says what it is.
    """
    note = job_folder(name) / _ATTACHING
    # Known by its identity: a file without a name may still have a loop device before it.
    identity = file_identity(file)
    known = [str(device) for device in loops_of(runner, identity)]
    try:
        note.write_text(json.dumps({"file": identity, "known": known}), encoding="utf-8")
    except OSError as error:
        raise _no_folder(note.parent, error) from error
    try:
        with loop_of(runner, file, read_only=read_only) as device:
            note.unlink()
            yield device
    finally:
        note.unlink(missing_ok=True)
        forget_folder(name)


def remove_device(runner: Runner, mapper: DeviceMapper, device: str) -> None:
    """Take a dm device down, its node included.

    Where no udev runs, dmsetup may leave the node, and the next device with that number would be
    found under the old name.
    """
    mapper.remove(device)
    if Path("/dev/mapper", device).exists():
        runner.run(["dmsetup", "mknodes", device], timeout=10.0)


def unmount(runner: Runner, folder: Path) -> None:
    """Take a mount down; one that is busy is taken out of sight and goes when it is not."""
    try:
        runner.run(["umount", str(folder)], timeout=_MOUNT_TIMEOUT_SECONDS)
    except LiveosError:
        runner.run(["umount", "--lazy", str(folder)], timeout=_MOUNT_TIMEOUT_SECONDS)


def clean_up(runner: Runner, mapper: DeviceMapper, name: str) -> tuple[str, ...]:
    """See `Joiner.clean_up`.

    A program that still works on the job's trial is killed: nobody waits for it any more, and what
    it changes is thrown away.
    """
    folder = _folder(name)
    base = folder / "base"
    gone = _unmount_all(runner, [mount for mount in _mounts_below(folder) if mount != base])
    devices = {device.name for device in mapper.table()}
    for part in PARTS:
        device = part_name(name, part)
        if device not in devices:
            continue
        if part == "trial":
            gone += kill_users(Path("/dev/mapper", device))
        remove_device(runner, mapper, device)
        gone.append(f"device {device}")
    for loop in (*_loops_below(runner, folder), *_loops_being_attached(runner, folder)):
        detach(runner, loop)
        gone.append(f"loop {loop}")
    gone += _unmount_all(runner, [mount for mount in _mounts_below(folder) if mount == base])
    for left in (folder / _ATTACHING, folder / "header"):
        left.unlink(missing_ok=True)
    with suppress(OSError):
        base.rmdir()
    forget_folder(name)
    return tuple(gone)


def _folder(name: str) -> Path:
    part_name(name, "")  # a name that leads elsewhere is refused
    return RUN_FOLDER / "views" / name


def _no_folder(folder: Path, error: OSError) -> LiveosError:
    return LiveosError(f"{clean(str(folder))} cannot be made: {error.strerror}.", "Run it as root.")


def _unmount_all(runner: Runner, mounts: list[Path]) -> list[str]:
    for mount in mounts:
        unmount(runner, mount)
        with suppress(OSError):
            mount.rmdir()
    return [f"mount {clean(str(mount))}" for mount in mounts]


def kill_users(device: Path) -> list[str]:
    """Kill the other processes that have a device open, and wait for their end, but not long."""
    deadline = time.monotonic() + _END_SECONDS
    killed: dict[int, str] = {}
    while (users := _users(device)) and time.monotonic() < deadline:
        for process in users:
            killed[process] = clean((read_small(Path(f"/proc/{process}/comm")) or "").strip())
            with suppress(ProcessLookupError):
                os.kill(process, signal.SIGKILL)
        time.sleep(0.05)
    return [f"process {process} ({command})" for process, command in killed.items()]


def _users(device: Path) -> list[int]:
    found = []
    with suppress(FileNotFoundError):
        number = device.stat().st_rdev
        for opened in Path("/proc").glob("[0-9]*/fd/*"):
            # Processes come and go while they are looked at.
            with suppress(OSError):
                status = opened.stat()
                if stat.S_ISBLK(status.st_mode) and status.st_rdev == number:
                    found.append(int(opened.parts[2]))
    return [process for process in found if process != os.getpid()]


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
        inode, filesystem = note["file"]
        known = list(note["known"])
        found = loops_of(runner, (int(inode), str(filesystem)))
        return [loop for loop in found if str(loop) not in known]
    except (ValueError, KeyError, TypeError, OSError):
        return []
