"""Folders in memory that only one's own user can write: state, nothing that outlives a boot."""

import os
import stat
from pathlib import Path

from liveos_tui.errors import LiveosError
from liveos_tui.formats.text import clean
from liveos_tui.system.mounts import RUN_FOLDER

_OTHERS_MAY_WRITE = stat.S_IWGRP | stat.S_IWOTH


def state_folder() -> Path:
    """Where this user's state is.

    That is /run/liveos-tui for root, a folder below XDG_RUNTIME_DIR or /tmp for others. It is made
    when there is none. Raises LiveosError when it is not this user's alone.
    """
    user = os.geteuid()
    if user == 0:
        return private_folder(RUN_FOLDER)
    runtime = os.environ.get("XDG_RUNTIME_DIR", "")
    if runtime.startswith("/") and Path(runtime).is_dir():
        return private_folder(Path(runtime) / "liveos-tui")
    # Everyone may make names in /tmp, so this one may be a trap: it is looked at before it is used.
    return private_folder(Path("/tmp") / f"liveos-tui-{user}")  # noqa: S108


def private_folder(path: Path) -> Path:
    """Make a folder if there is none, and see that it is one's own. Raises LiveosError."""
    try:
        path.mkdir(mode=0o700, exist_ok=True)
        status = path.lstat()
    except OSError as error:
        raise LiveosError(
            f"{clean(str(path))} could not be made: {error.strerror}.",
            "Jobs keep their state there. Nothing was changed.",
        ) from error
    own = status.st_uid == os.geteuid() and not status.st_mode & _OTHERS_MAY_WRITE
    if not (stat.S_ISDIR(status.st_mode) and own):
        raise LiveosError(
            f"{clean(str(path))} is a link, belongs to someone else, or others may write it.",
            "Jobs keep their state there, so it was not used and nothing was changed. Remove it, "
            "or set XDG_RUNTIME_DIR to a folder of your own.",
        )
    return path


def remove_tree(path: Path) -> None:
    """Remove a folder with all that is in it, as far as it goes.

    Links are removed, not followed, and nothing is entered that is another file system: a stick may
    be mounted there.
    """
    try:
        status = path.lstat()
        if stat.S_ISDIR(status.st_mode):
            _empty(path, status.st_dev)
            path.rmdir()
        else:
            path.unlink()
    except OSError:
        # In use, gone, or mounted: the next boot takes it away.
        return


def _empty(folder: Path, device: int) -> None:
    for entry in list(folder.iterdir()):
        status = entry.lstat()
        if status.st_dev != device or entry.is_mount():
            continue
        if stat.S_ISDIR(status.st_mode):
            _empty(entry, device)
            entry.rmdir()
        else:
            entry.unlink()
