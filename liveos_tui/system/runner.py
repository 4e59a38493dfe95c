"""The only place that starts programs.

Argument lists, never a shell; a fixed PATH; `LC_ALL=C`, because programs speak the user's language;
standard input from /dev/null; output bounded; everything ends at a deadline.
"""

import contextlib
import os
import selectors
import shlex
import shutil
import signal
import subprocess
import time
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

from liveos_tui.errors import LiveosError, PrivilegeError
from liveos_tui.formats.text import clean

SEARCH_PATH = "/usr/sbin:/usr/bin:/sbin:/bin:/usr/local/sbin:/usr/local/bin"
OUTPUT_LIMIT_BYTES = 16 * 1024 * 1024

# Debian's and Fedora's package of each program, for the hint when it is missing.
_PACKAGES: Mapping[str, tuple[str, str]] = {
    "debugfs": ("e2fsprogs", "e2fsprogs"),
    "dmsetup": ("dmsetup", "device-mapper"),
    "dump.erofs": ("erofs-utils", "erofs-utils"),
    "e2fsck": ("e2fsprogs", "e2fsprogs"),
    "losetup": ("mount", "util-linux"),
    "lsblk": ("util-linux", "util-linux"),
    "mkfs.ext4": ("e2fsprogs", "e2fsprogs"),
    "mksquashfs": ("squashfs-tools", "squashfs-tools"),
    "mount": ("mount", "util-linux"),
    "udevadm": ("udev", "systemd-udev"),
    "umount": ("mount", "util-linux"),
    "unsquashfs": ("squashfs-tools", "squashfs-tools"),
}


@dataclass(frozen=True, slots=True)
class Finished:
    """A program that has ended. `truncated`: it was stopped, since it had written enough."""

    argv: tuple[str, ...]
    returncode: int
    stdout: bytes
    stderr: bytes
    truncated: bool = False


class CommandError(LiveosError):
    """A program ended in a way that was not expected."""

    def __init__(self, message: str, finished: Finished, hint: str = "") -> None:
        super().__init__(message, hint)
        self.finished = finished


class CommandTimeoutError(LiveosError):
    """A program did not end in time and was stopped."""


class ToolMissingError(LiveosError):
    """A program that is needed is not installed."""


class Runner(Protocol):
    """Something that can run programs: the machine, or a record of one."""

    def run(
        self,
        argv: Sequence[str],
        *,
        timeout: float = 30.0,
        ok: Collection[int] = (0,),
        input: bytes = b"",  # noqa: A002 - the name that subprocess uses
        env: Mapping[str, str] | None = None,
        limit: int = OUTPUT_LIMIT_BYTES,
    ) -> Finished:
        """Run `argv` to its end, or until it has written `limit` bytes, or for `timeout` seconds.

        Raises ToolMissingError, CommandTimeoutError, CommandError (a return code not in `ok`).
        """
        ...


class SystemRunner:
    """Runs programs on this machine."""

    def run(
        self,
        argv: Sequence[str],
        *,
        timeout: float = 30.0,
        ok: Collection[int] = (0,),
        input: bytes = b"",  # noqa: A002 - the name that subprocess uses
        env: Mapping[str, str] | None = None,
        limit: int = OUTPUT_LIMIT_BYTES,
    ) -> Finished:
        """See `Runner.run`."""
        process = start_program(
            argv,
            stdin=subprocess.PIPE if input else subprocess.DEVNULL,
            stderr=subprocess.PIPE,
            env=env,
        )
        finished = _communicate(process, tuple(argv), timeout, input, limit)
        if not finished.truncated and finished.returncode not in ok:
            raise command_failed(finished)
        return finished


def start_program(
    argv: Sequence[str],
    *,
    stdin: int = subprocess.DEVNULL,
    stderr: int,
    env: Mapping[str, str] | None = None,
    pass_fds: Collection[int] = (),
) -> subprocess.Popen[bytes]:
    """Start a program by the rules of this module, its standard output a pipe.

    `stdin` and `stderr` are what `subprocess.Popen` takes; `pass_fds` are descriptors that the
    program gets under the same numbers. Raises ToolMissingError, and LiveosError when the machine
    cannot start it.
    """
    program = shutil.which(argv[0], path=SEARCH_PATH)
    if program is None:
        raise _missing(argv[0])
    try:
        return subprocess.Popen(
            [program, *argv[1:]],
            stdin=stdin,
            stdout=subprocess.PIPE,
            stderr=stderr,
            env={"PATH": SEARCH_PATH, "LC_ALL": "C", "HOME": "/", **(env or {})},
            cwd="/",
            pass_fds=tuple(pass_fds),
            # A process group of its own: a time-out ends its children too, and a Ctrl-C at the
            # terminal does not.
            process_group=0,
        )
    except OSError as error:
        raise LiveosError(
            f"{argv[0]} could not be started: {error.strerror}.",
            "Nothing was changed. Check that the system has memory and processes left.",
        ) from error


def _communicate(
    process: subprocess.Popen[bytes],
    argv: tuple[str, ...],
    timeout: float,
    input_: bytes,
    limit: int,
) -> Finished:
    deadline = time.monotonic() + timeout
    streams = [process.stdout, process.stderr]
    output: list[bytearray] = [bytearray(), bytearray()]
    unsent = memoryview(input_)
    truncated = False
    try:
        with selectors.DefaultSelector() as selector:
            for number, stream in enumerate(streams):
                assert stream is not None  # noqa: S101 - Popen was told to make pipes
                selector.register(stream, selectors.EVENT_READ, output[number])
            if process.stdin is not None:
                os.set_blocking(process.stdin.fileno(), False)
                selector.register(process.stdin, selectors.EVENT_WRITE, None)
            while selector.get_map() and not truncated:
                ready = selector.select(max(0.0, deadline - time.monotonic()))
                if not ready:
                    raise timed_out(argv, timeout)
                for key, _events in ready:
                    if key.data is None:
                        unsent = _send(selector, process, unsent)
                        continue
                    data = os.read(key.fd, 65536)
                    key.data.extend(data)
                    if not data:
                        selector.unregister(key.fileobj)
                    truncated = truncated or len(key.data) >= limit
        if truncated:
            kill_group(process)
        try:
            process.wait(max(0.1, deadline - time.monotonic()))
        except subprocess.TimeoutExpired:
            raise timed_out(argv, timeout) from None
    except BaseException:
        kill_group(process)
        raise
    finally:
        for stream in (*streams, process.stdin):
            if stream is not None:
                stream.close()
    stdout, stderr = (bytes(text[:limit]) for text in output)
    return Finished(argv, process.returncode, stdout, stderr, truncated)


def timed_out(argv: tuple[str, ...], timeout: float) -> CommandTimeoutError:
    """The error for a program that was stopped at its deadline, `timeout` seconds."""
    return CommandTimeoutError(
        f"{argv[0]} did not end within {timeout:g} seconds and was stopped.",
        "The device may hang. Nothing was changed; try again, or replug the stick.",
    )


def _send(
    selector: selectors.BaseSelector, process: subprocess.Popen[bytes], unsent: memoryview
) -> memoryview:
    assert process.stdin is not None  # noqa: S101 - only called when there is a pipe
    try:
        unsent = unsent[os.write(process.stdin.fileno(), unsent) :]
    except BrokenPipeError:
        unsent = unsent[len(unsent) :]
    if not unsent:
        selector.unregister(process.stdin)
        process.stdin.close()
    return unsent


def kill_group(process: subprocess.Popen[bytes]) -> None:
    """Kill a program with all that it has started, and wait for it, but not for long."""
    try:
        os.killpg(process.pid, signal.SIGKILL)
    except ProcessLookupError:
        return
    # A process that waits for a dead device cannot be killed: it is left behind, not waited for.
    with contextlib.suppress(subprocess.TimeoutExpired):
        process.wait(1.0)


def _missing(program: str) -> ToolMissingError:
    packages = _PACKAGES.get(program)
    hint = (
        f"Install it: package {packages[0]} on Debian and Ubuntu, {packages[1]} on Fedora."
        if packages
        else "Install the package that holds it."
    )
    return ToolMissingError(f"The program {program} is not installed.", hint)


def command_failed(finished: Finished) -> LiveosError:
    """The error for a program that failed: what it was, and its own last words."""
    words = (finished.stderr or finished.stdout).decode("utf-8", "replace").strip()
    last = clean(words.splitlines()[-1]) if words else "it said nothing"
    command = clean(shlex.join(finished.argv))
    if "permission denied" in words.lower() or "must be root" in words.lower():
        return PrivilegeError(f"{command} needs more privilege: {last}.", "Run it as root.")
    return CommandError(f"{command} ended with {finished.returncode}: {last}", finished)
