"""Mounting a stick to look at it: read-only, in a private folder, taken down again."""

import contextlib
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from liveos_tui.errors import LiveosError, PrivilegeError
from liveos_tui.formats.text import clean
from liveos_tui.system.runner import Runner

RUN_FOLDER = Path("/run/liveos-tui")

_OPTIONS = "ro,nosuid,nodev,noexec"
# A read-only mount of these may still replay a journal, which writes.
_NO_REPLAY = {
    "ext3": ",noload",
    "ext4": ",noload",
    "xfs": ",norecovery",
    "btrfs": ",rescue=nologreplay",
}


@contextmanager
def inspection_mount(runner: Runner, device: str, filesystem: str | None) -> Iterator[Path]:
    """Mount `device` read-only in a private folder, and take it down at the end.

    Raises PrivilegeError for everyone but root, and LiveosError with mount's own words.
    """
    if os.geteuid() != 0:
        raise PrivilegeError(
            f"{clean(device)} is not mounted, and only root can mount it.",
            "Run it as root, or mount the stick first and name its mount point.",
        )
    clean_up_stale_mounts(runner)
    folder = RUN_FOLDER / "mnt" / f"{os.getpid()}-{Path(device).name}"
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    options = _OPTIONS + _NO_REPLAY.get(filesystem or "", "")
    kind = ("-t", filesystem) if filesystem else ()
    try:
        runner.run(["mount", *kind, "-o", options, device, str(folder)], timeout=15.0)
    except LiveosError:
        _remove_folder(folder)
        raise
    try:
        yield folder
    finally:
        _unmount(runner, folder)


def clean_up_stale_mounts(runner: Runner) -> None:
    """Take down what a console that was killed has left mounted: folders of processes now gone."""
    parent = RUN_FOLDER / "mnt"
    for folder in parent.iterdir() if parent.is_dir() else ():
        process = folder.name.partition("-")[0]
        if process.isdecimal() and not Path("/proc", process).exists():
            _unmount(runner, folder)


def _unmount(runner: Runner, folder: Path) -> None:
    # Lazy: a stick that was pulled out while it was looked at must not keep the console.
    with contextlib.suppress(LiveosError):
        runner.run(["umount", "--lazy", str(folder)], timeout=15.0)
    _remove_folder(folder)


def _remove_folder(folder: Path) -> None:
    with contextlib.suppress(OSError):
        folder.rmdir()
