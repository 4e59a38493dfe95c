"""Keeping a machine from sleeping and shutting down while something is written."""

import shutil
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from liveos_tui.system.runner import SEARCH_PATH

# Where systemd-logind keeps its sessions (it is logind that is asked).
_LOGIND_RUNS = Path("/run/systemd/sessions")
_END_SECONDS = 5.0


def inhibit_command(why: str) -> list[str]:
    """The command that holds the lock until its standard input ends (systemd-inhibit(1))."""
    return [
        "systemd-inhibit",
        "--what=sleep:shutdown",
        "--who=liveos-tui",
        f"--why={why}",
        "--mode=block",
        "cat",
    ]


@contextmanager
def no_sleep(why: str) -> Iterator[None]:
    """Keep the machine awake and up; where that cannot be done, go on without.

    The lock ends with this process, however that ends: the program that holds it reads from a pipe.
    """
    program = shutil.which("systemd-inhibit", path=SEARCH_PATH)
    if program is None or not _LOGIND_RUNS.is_dir():
        yield
        return
    try:
        holder = subprocess.Popen(
            [program, *inhibit_command(why)[1:]],
            stdin=subprocess.PIPE,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            env={"PATH": SEARCH_PATH, "LC_ALL": "C", "HOME": "/"},
            cwd="/",
            # A signal for the worker's group is not meant for the lock.
            process_group=0,
        )
    except OSError:
        yield
        return
    try:
        yield
    finally:
        with suppress(OSError):
            holder.stdin.close() if holder.stdin else None
        try:
            holder.wait(_END_SECONDS)
        except subprocess.TimeoutExpired:
            holder.kill()
            holder.wait()
