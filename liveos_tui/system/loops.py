"""Loop devices: which file lies behind which; making and unmaking them."""

import json
import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path

from liveos_tui.errors import LiveosError
from liveos_tui.formats.text import clean
from liveos_tui.system.files import read_small, status_of
from liveos_tui.system.runner import Runner

LOSETUP = ("losetup", "--json", "--list", "--output", "NAME,BACK-INO,BACK-MAJ:MIN")
_DELETED = " (deleted)"
_TIMEOUT_SECONDS = 10.0

FileIdentity = tuple[int, str]
"""A file's inode number and its file system's device number, "8:1"."""


@dataclass(frozen=True, slots=True)
class Loop:
    """A loop device with a file behind it.

    `backing` is the path as the kernel tells it. After dracut's lazy unmount it lacks the mount
    point ("/LiveOS/overlay-LIVE-12AB-CDEF"). `inode` and `filesystem` ("8:1") of the file are known
    to root only.
    """

    name: str
    number: str
    backing: str
    deleted: bool
    offset_bytes: int = 0
    read_only: bool = False
    inode: int | None = None
    filesystem: str | None = None


def loops(root: Path, runner: Runner, *, privileged: bool) -> tuple[Loop, ...]:
    """All loop devices with a file behind them, by /sys and, as root, `losetup`."""
    found = []
    for folder in sorted((root / "sys/block").glob("loop*")):
        backing = read_small(folder / "loop/backing_file")
        number = read_small(folder / "dev")
        if backing is None or number is None:
            continue
        backing = backing.removesuffix("\n")
        found.append(
            Loop(
                name=folder.name,
                number=number.strip(),
                backing=backing.removesuffix(_DELETED),
                deleted=backing.endswith(_DELETED),
                offset_bytes=int(read_small(folder / "loop/offset") or "0"),
                read_only=(read_small(folder / "ro") or "0").strip() == "1",
            )
        )
    if not (found and privileged):
        return tuple(found)
    known = _backing_identities(runner)
    return tuple(
        replace(loop, inode=inode, filesystem=filesystem)
        for loop in found
        for inode, filesystem in [known.get(loop.name, (None, None))]
    )


def attach(runner: Runner, file: Path, *, read_only: bool) -> Path:
    """Put a loop device before a file, whichever is free: "/dev/loop3". Raises LiveosError."""
    mode = ("--read-only",) if read_only else ()
    argv = ["losetup", "--find", "--show", *mode, str(file)]
    device = os.fsdecode(runner.run(argv, timeout=_TIMEOUT_SECONDS).stdout).strip()
    if not device.startswith("/dev/loop"):
        raise LiveosError(
            f"losetup gave no loop device for {clean(str(file))}: {clean(device) or 'no answer'}.",
            "Nothing was changed. Check that the kernel has loop devices.",
        )
    return Path(device)


def detach(runner: Runner, device: Path) -> None:
    """Take a loop device down; one that is still in use goes when it is used no more."""
    runner.run(["losetup", "--detach", str(device)], timeout=_TIMEOUT_SECONDS)


def refresh_capacity(runner: Runner, device: Path) -> None:
    """Have a loop device show the size that its file has grown to."""
    runner.run(["losetup", "--set-capacity", str(device)], timeout=_TIMEOUT_SECONDS)


def file_identity(file: Path) -> FileIdentity:
    """How the kernel knows a file, whatever its path. Raises UnreadableError."""
    status = status_of(file)
    return status.st_ino, f"{os.major(status.st_dev)}:{os.minor(status.st_dev)}"


def loops_of(runner: Runner, identity: FileIdentity) -> tuple[Path, ...]:
    """The loop devices before a file, also before one whose name is gone. Needs root."""
    found = _backing_identities(runner).items()
    return tuple(Path("/dev", name) for name, of in found if of == identity)


@contextmanager
def loop_of(runner: Runner, file: Path, *, read_only: bool) -> Iterator[Path]:
    """A loop device that goes with its last user, even when this process is killed.

    A device that is detached while it is in use stays until it is used no more (the kernel's
    LO_FLAGS_AUTOCLEAR). So it is held open here, then detached: it lasts until the end of the
    context, or of this process, or of a dm device that was put on it, whichever comes last.
    """
    device = attach(runner, file, read_only=read_only)
    try:
        held = os.open(device, os.O_RDONLY | os.O_CLOEXEC)
    except OSError as error:
        detach(runner, device)
        raise LiveosError(
            f"{device} cannot be opened: {error.strerror}.", "Nothing was changed."
        ) from error
    try:
        detach(runner, device)
        yield device
    finally:
        os.close(held)


def _backing_identities(runner: Runner) -> dict[str, tuple[int | None, str | None]]:
    try:
        rows = json.loads(runner.run(LOSETUP, timeout=5.0).stdout or b"{}")
        return {
            str(row["name"]).removeprefix("/dev/"): (
                int(row["back-ino"]),
                str(row["back-maj:min"]).strip(),
            )
            for row in rows.get("loopdevices", [])
        }
    except (
        LiveosError,
        ArithmeticError,
        AttributeError,
        LookupError,
        RecursionError,
        TypeError,
        ValueError,
    ):
        # Without it the path alone joins a loop with its file.
        return {}
