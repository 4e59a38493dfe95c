"""Folders for copies that a job needs for a while: what they lie on, and how much room is there."""

import os
import stat
from dataclasses import dataclass
from pathlib import Path

from liveos_tui.errors import ExitCode, LiveosError
from liveos_tui.formats.mountinfo import mount_holding, parse_mountinfo
from liveos_tui.formats.text import clean
from liveos_tui.system.files import read_small, status_of
from liveos_tui.system.metrics import available_memory, filesystem_usage

_IN_MEMORY = ("tmpfs", "ramfs")


@dataclass(frozen=True, slots=True)
class WorkFolder:
    """A folder, its file system ("ext4", "" where it is not known), and that one's device ("8:1").

    `free_bytes` is what a copy may take; in memory no more than programs could have, too.
    `writable`: this user may make files there.
    """

    path: str
    filesystem: str
    number: str
    free_bytes: int
    writable: bool = True

    @property
    def in_memory(self) -> bool:
        """What lies there takes memory away from programs."""
        return self.filesystem in _IN_MEMORY


class NoWorkFolderError(LiveosError):
    """What was named is no folder to work in."""

    exit_code = ExitCode.USAGE


def work_folder(path: Path) -> WorkFolder:
    """Look at a folder. Raises NoWorkFolderError; UnreadableError when its file system is dead."""
    try:
        found = path.resolve(strict=True)
        status = found.stat()
    except (OSError, RuntimeError) as error:
        reason = (error.strerror if isinstance(error, OSError) else None) or "it leads in a circle"
        raise NoWorkFolderError(
            f"{clean(str(path))} is no folder to work in: {reason}.",
            "Nothing was changed. Name another folder for the work.",
        ) from error
    if not stat.S_ISDIR(status.st_mode):
        raise NoWorkFolderError(
            f"{clean(str(path))} is no folder.",
            "Nothing was changed. Name a folder for the work.",
        )
    mounts = parse_mountinfo(read_small(Path("/proc/self/mountinfo"), 1 << 24) or "")
    mount = mount_holding(mounts, str(found))
    filesystem = mount.filesystem if mount else ""
    free = filesystem_usage(found).free_bytes
    if filesystem in _IN_MEMORY:
        free = min(free, available_memory())
    writable = os.access(found, os.W_OK | os.X_OK)
    return WorkFolder(str(found), clean(filesystem), device_number(found), free, writable)


def device_number(path: Path) -> str:
    """The device that a file or folder lies on, or that a block device is: "8:1".

    Raises UnreadableError.
    """
    status = status_of(path)
    number = status.st_rdev if stat.S_ISBLK(status.st_mode) else status.st_dev
    return f"{os.major(number)}:{os.minor(number)}"
