"""Starting what goes on without whoever started it: a dropped ssh, a killed console, a hang-up.

Where systemd runs the machine and root asks, the program becomes a transient service: nobody's
child, in nobody's session. Elsewhere it gets a process session of its own. Neither inherits that
the console ends with its parent: the kernel clears PR_SET_PDEATHSIG for the child of a fork.
"""

import os
import shutil
import subprocess
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from pathlib import Path

from liveos_tui.errors import LiveosError
from liveos_tui.formats.text import clean
from liveos_tui.system.runner import SEARCH_PATH, CommandError, CommandTimeoutError, SystemRunner

_SYSTEMD_RUNS = Path("/run/systemd/system")
_PATIENCE_SECONDS = 60.0
_LOOK_SECONDS = 0.02
_ASK_SECONDS = 0.5

_NOT_STARTED = "Nothing was changed. Try again; `liveos-tui status` tells how the stick is."


def start_detached(
    argv: Sequence[str],
    *,
    unit: str,
    environment: Mapping[str, str],
    log: Path,
    arrived: Callable[[], bool],
    patience: float = _PATIENCE_SECONDS,
) -> None:
    """Start `argv` detached, and return when `arrived` says that it is at work.

    `unit` names it for systemd, `log` takes what it prints. Raises LiveosError when it does not
    arrive within `patience` seconds, or has ended before.
    """
    complete = {"PATH": SEARCH_PATH, "LC_ALL": "C", "HOME": "/", **environment}
    if (
        os.geteuid() == 0
        and _SYSTEMD_RUNS.is_dir()
        and shutil.which("systemd-run", path=SEARCH_PATH)
    ):
        try:
            SystemRunner().run(service_command(argv, unit, complete, log), timeout=patience)
        except (CommandError, CommandTimeoutError) as error:
            # A systemd that is only half there, as in a container, must not keep a stick ill.
            if isinstance(error, CommandTimeoutError) or arrived():
                raise
        else:
            try:
                _wait(arrived, lambda: _is_active(unit), patience, log)
            except LiveosError:
                # Said to have not started, it must not begin a minute later.
                with suppress(LiveosError):
                    SystemRunner().run(["systemctl", "stop", unit], timeout=_PATIENCE_SECONDS)
                raise
            return
    process = _start_session(argv, complete, log)
    try:
        _wait(arrived, lambda: process.poll() is None, patience, log)
    except LiveosError:
        process.kill()
        raise


def service_command(
    argv: Sequence[str], unit: str, environment: Mapping[str, str], log: Path
) -> list[str]:
    """The command that makes `argv` a transient service (systemd-run(1)).

    It returns when the program was started. At a shutdown only the program itself is asked to end,
    not the tools that it runs: it knows when that does no harm.
    """
    return [
        "systemd-run",
        "--quiet",
        "--collect",
        f"--unit={unit}",
        "--service-type=exec",
        "--property=KillMode=mixed",
        f"--property=StandardOutput=append:{log}",
        f"--property=StandardError=append:{log}",
        *(f"--setenv={name}={value}" for name, value in environment.items()),
        "--",
        *argv,
    ]


def _is_active(unit: str) -> bool:
    """Whether a service has not ended yet. One that cannot be asked about is waited for."""
    argv = ["systemctl", "is-active", "--quiet", unit]
    try:
        SystemRunner().run(argv, timeout=_PATIENCE_SECONDS)
    except CommandError:
        return False
    except LiveosError:
        return True
    return True


def _start_session(
    argv: Sequence[str], environment: Mapping[str, str], log: Path
) -> subprocess.Popen[bytes]:
    try:
        with log.open("ab") as file:
            process = subprocess.Popen(
                argv,
                stdin=subprocess.DEVNULL,
                stdout=file,
                stderr=file,
                env=environment,
                cwd="/",
                start_new_session=True,
            )
    except OSError as error:
        raise LiveosError(
            f"The worker could not be started: {error.strerror}.", _NOT_STARTED
        ) from error
    # Its end is asked for as long as this process lives, or it would stay in the list of processes.
    threading.Thread(target=process.wait, name="worker's end", daemon=True).start()
    return process


def _wait(
    arrived: Callable[[], bool], runs: Callable[[], bool], patience: float, log: Path
) -> None:
    deadline = time.monotonic() + patience
    asked = time.monotonic()
    while not arrived():
        ended = False
        if time.monotonic() - asked >= _ASK_SECONDS:
            asked = time.monotonic()
            ended = not runs()
        if arrived():
            return
        if ended or time.monotonic() > deadline:
            raise LiveosError(f"The worker did not start: {_last_words(log)}.", _NOT_STARTED)
        time.sleep(_LOOK_SECONDS)


def _last_words(log: Path) -> str:
    try:
        lines = log.read_bytes()[-4096:].split(b"\n")
    except OSError:
        lines = []
    words = [line for line in lines if line.strip()]
    return clean(words[-1].strip().rstrip(b".")) if words else "it said nothing"
