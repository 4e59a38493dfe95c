"""The new base of a running root: its image mounted and looped as dracut has it."""

from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from liveos_tui.system.files import Folder
from liveos_tui.system.leftovers import unmount
from liveos_tui.system.loops import loop_of
from liveos_tui.system.mounts import RUN_FOLDER
from liveos_tui.system.runner import Runner


@contextmanager
def new_base(runner: Runner, job: str, image: Path, member: str | None) -> Iterator[Path]:
    """A loop device on the new base: `image`, or the file `member` in it.

    As dracut has it: the image's mount is out of sight once the loop device is there, and lasts as
    long as that does, which is as long as a dm device is on it.
    """
    if member is None:
        with loop_of(runner, image, read_only=True) as loop:
            yield loop
        return
    forget_base(runner, job)
    folder = RUN_FOLDER / f"root-{job}"
    RUN_FOLDER.mkdir(mode=0o755, parents=True, exist_ok=True)
    folder.mkdir(mode=0o700, exist_ok=True)
    try:
        options = "ro,nosuid,nodev,noexec,loop"
        runner.run(["mount", "-o", options, str(image), str(folder)], timeout=30.0)
        try:
            # To see that it is a plain file, reached without a link.
            with Folder(folder).open(member):
                pass
            with loop_of(runner, folder / member, read_only=True) as loop:
                yield loop
        finally:
            runner.run(["umount", "--lazy", str(folder)], timeout=30.0)
    finally:
        with suppress(OSError):
            folder.rmdir()


def forget_base(runner: Runner, job: str) -> None:
    """Take down the mount that a killed process has left of `new_base`."""
    folder = RUN_FOLDER / f"root-{job}"
    if folder.is_dir():
        while folder.is_mount():
            unmount(runner, folder)
        with suppress(OSError):
            folder.rmdir()
