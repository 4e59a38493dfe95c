"""Where a stick's file system can be written, for as long as a job needs it."""

import contextlib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from liveos_tui.errors import LiveosError, PrivilegeError
from liveos_tui.formats.mountinfo import Mount
from liveos_tui.formats.text import clean
from liveos_tui.system.mounts import RUN_FOLDER
from liveos_tui.system.probes import Probes
from liveos_tui.system.runner import ToolMissingError

_OPTIONS = "nosuid,nodev,noexec"
# A stick answers slowly after much was written: the kernel writes it out first.
_PATIENCE_SECONDS = 60.0
# A FAT of 64 GiB on a slow stick.
_CHECK_SECONDS = 600.0


@contextmanager
def mounted_stick(
    probes: Probes, number: str, device: str, *, writable: bool, name: str, check: bool = False
) -> Iterator[Path]:
    """The folder at which the file system of a block device ("8:17") can be worked on.

    `check`: a FAT that has to be mounted is checked before. A mount of the person's own is used as
    it is; one that is read-only is made writable and put back at the end. Mounts of consoles that
    only look are left to them: another one is made. Raises PrivilegeError for everyone but root
    where something has to be mounted, and LiveosError.
    """
    mounts = [mount for mount in probes.mounts() if mount.device == number and mount.root == "/"]
    own = [mount for mount in mounts if not _is_ours(mount)]
    usable = [mount for mount in own if not (writable and mount.read_only)]
    if usable:
        yield probes.path(usable[0].mount_point)
        return
    if not probes.privileged:
        raise PrivilegeError(
            f"{clean(device)} is not mounted, or mounted read-only.",
            "Nothing was changed. Run it as root, or mount the stick yourself and name its folder.",
        )
    if own:
        with _remounted(probes, Path(own[0].mount_point)) as folder:
            yield folder
        return
    if check and not mounts:
        _check_fat(probes, number, device)
    with _private(probes, mounts, device, writable=writable, name=name) as folder:
        yield folder


def _is_ours(mount: Mount) -> bool:
    return mount.mount_point.startswith(f"{RUN_FOLDER}/")


@contextmanager
def _remounted(probes: Probes, folder: Path) -> Iterator[Path]:
    """A mount made writable, and read-only again at the end."""
    _mount(probes, "-o", "remount,rw", str(folder))
    try:
        yield folder
    finally:
        # A file that someone else has open for writing keeps it writable: no harm is done by it.
        with contextlib.suppress(LiveosError):
            _mount(probes, "-o", "remount,ro", str(folder))


@contextmanager
def _private(
    probes: Probes, looked_at: list[Mount], device: str, *, writable: bool, name: str
) -> Iterator[Path]:
    """A mount of the job's own, in a folder that only root may enter."""
    folder = RUN_FOLDER / "job-mounts" / name
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    unmount_job(probes, name)
    mode = "rw" if writable else "ro"
    if looked_at:
        # The kernel mounts a device only once: a second mount has to share the first one's state.
        _mount(probes, "--bind", looked_at[0].mount_point, str(folder))
    else:
        _mount(probes, "-o", f"{mode},{_OPTIONS}", device, str(folder))
    try:
        if looked_at and writable:
            _mount(probes, "-o", f"remount,rw,{_OPTIONS}", str(folder))
        yield folder
    finally:
        with contextlib.suppress(LiveosError):
            if looked_at and writable:
                _mount(probes, "-o", "remount,ro", str(folder))
        unmount_job(probes, name)
        with contextlib.suppress(OSError):
            folder.rmdir()


def _check_fat(probes: Probes, number: str, device: str) -> None:
    """Mend what a power cut may have left of a FAT that is not mounted (fsck.fat(8)).

    Without the program the kernel says what it thinks of the file system.
    """
    found = next((each for each in probes.block_devices() if each.device == number), None)
    if found is None or found.filesystem != "vfat":
        return
    with contextlib.suppress(ToolMissingError):
        # 1: errors were found, and mended.
        probes.runner.run(["fsck.vfat", "-a", device], timeout=_CHECK_SECONDS, ok=(0, 1))


def unmount_job(probes: Probes, name: str) -> None:
    """Take down the mount of a job, also one that was killed. Raises LiveosError."""
    folder = str(RUN_FOLDER / "job-mounts" / name)
    for mount in reversed(probes.mounts()):
        if mount.mount_point == folder:
            probes.runner.run(["umount", folder], timeout=_PATIENCE_SECONDS)


def _mount(probes: Probes, *arguments: str) -> None:
    probes.runner.run(["mount", *arguments], timeout=_PATIENCE_SECONDS)
