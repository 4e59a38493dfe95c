"""A state folder of the tests' own: whoever runs them may have jobs, and keeps them."""

import ctypes
import json
import os
import signal
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import pytest

from liveos_tui.errors import LiveosError
from liveos_tui.jobs.folder import JobFolder, JobFolders
from liveos_tui.system.mounts import RUN_FOLDER
from liveos_tui.system.probes import Probes

# linux/sched.h, linux/mount.h
_CLONE_NEWNS = 0x00020000
_MS_REC_PRIVATE = 0x4000 | 1 << 18

_SYSTEMD_RUNS = Path("/run/systemd/system")


@contextmanager
def own_state(top: Path) -> Iterator[None]:
    """Keep the jobs of the tests apart, where this machine lets it, and end those that are left.

    `top` is the folder that holds all sticks of these tests.
    """
    with pytest.MonkeyPatch.context() as patch:
        if os.geteuid() != 0:
            state = top / "state"
            state.mkdir(mode=0o700)
            patch.setenv("XDG_RUNTIME_DIR", str(state))
        elif not _SYSTEMD_RUNS.is_dir():
            # Root's state is in one place. What systemd starts would not see another one there.
            _hide(RUN_FOLDER)
        yield
        for folder in JobFolders(Probes()).all():
            with suppress(LiveosError):
                place = folder.order().plan.place
                if Path(place.mount_point or "/").is_relative_to(top):
                    end(folder)


def end(folder: JobFolder) -> None:
    """Forget a job whose stick is not needed any more, whatever its worker does or waits for."""
    if folder.alive():
        worker = json.loads((folder.path / "worker.json").read_text())["pid"]
        # It leads a session of its own, with all that it has started.
        with suppress(ProcessLookupError):
            os.killpg(worker, signal.SIGKILL)
    folder.remove()


def _hide(folder: Path) -> None:
    """Put an empty folder in the place of `folder`, for this process and those that it starts."""
    libc = ctypes.CDLL(None, use_errno=True)
    folder.mkdir(mode=0o755, exist_ok=True)
    # A container may not allow it.
    if libc.unshare(_CLONE_NEWNS) == 0 and libc.mount(None, b"/", None, _MS_REC_PRIVATE, None) == 0:
        libc.mount(b"tests", os.fsencode(folder), b"tmpfs", 0, b"mode=755")
