"""Running a long program: its output as it comes, its progress, and an end when a person wants it.

The rules are those of `system.runner`, which starts and kills both kinds.
"""

import os
import selectors
import signal
import subprocess
import time
from collections.abc import Callable, Collection, Mapping, Sequence
from contextlib import suppress

from liveos_tui.errors import CancelledError
from liveos_tui.system.runner import (
    Finished,
    command_failed,
    kill_group,
    start_program,
    timed_out,
)

PROGRESS = "{progress}"
"""The word of an argument list in whose place the number of the progress pipe is put."""

KEPT_BYTES = 64 * 1024
"""How much of the output's end is kept for the error message."""

TERM_SECONDS = 2.0
"""How long a cancelled program may take to end by itself."""

_POLL_SECONDS = 0.05
_READ_BYTES = 65536


def never() -> bool:
    """Nobody cancels."""
    return False


def stream(
    argv: Sequence[str],
    *,
    on_output: Callable[[bytes], None],
    on_progress: Callable[[bytes], None] | None = None,
    cancelled: Callable[[], bool] = never,
    paused: Callable[[], bool] = never,
    ok: Collection[int] = (0,),
    timeout: float | None = None,
    env: Mapping[str, str] | None = None,
    errors_apart: bool = False,
    pass_fds: Collection[int] = (),
) -> Finished:
    """Run `argv` to its end and hand on what it writes, as it comes, in pieces of any size.

    `on_output` gets standard output and standard error as one; with `errors_apart` standard output
    alone, for programs whose output is data. `on_progress` gets what the program writes to the
    descriptor whose number replaces the word `{progress}` in `argv` (`e2fsck -C {progress}`).
    `cancelled` is asked at least every 0.1 s, unless a callback takes longer: once it says yes, the
    whole process group gets SIGTERM, after 2 s SIGKILL, and CancelledError is raised. While
    `paused`, the group is stopped, and `cancelled` is what waits for the end of that. `timeout` is
    seconds, None without end. An exception of a callback kills the program and is passed on.
    `pass_fds` are descriptors that the program gets under the same numbers.

    The result's `stdout` (with `errors_apart` its `stderr`) is the end of the output, up to
    KEPT_BYTES. Raises ToolMissingError, CommandTimeoutError, CommandError (a code not in `ok`).
    """
    reader, writer = os.pipe() if PROGRESS in argv else (None, None)
    words = [str(writer) if word == PROGRESS else word for word in argv]
    try:
        process = start_program(
            words,
            stderr=subprocess.PIPE if errors_apart else subprocess.STDOUT,
            env=env,
            pass_fds=tuple(pass_fds) if writer is None else (*pass_fds, writer),
        )
    except BaseException:
        if reader is not None:
            os.close(reader)
        raise
    finally:
        # The program has its copy: the pipe ends when the program does.
        if writer is not None:
            os.close(writer)
    running = _Running(process, tuple(words), cancelled, paused, timeout)
    try:
        if reader is not None:
            running.listen(reader, on_progress or _ignore)
        assert process.stdout is not None  # noqa: S101 - Popen was told to make a pipe
        if process.stderr is None:
            running.listen(process.stdout.fileno(), running.keep, on_output)
        else:
            running.listen(process.stdout.fileno(), on_output)
            running.listen(process.stderr.fileno(), running.keep)
        running.follow()
    except BaseException:
        kill_group(process)
        raise
    finally:
        running.close()
        if reader is not None:
            os.close(reader)
    if running.was_cancelled:
        raise CancelledError(f"{argv[0]} was cancelled.")
    kept = bytes(running.kept)
    stdout, stderr = (b"", kept) if errors_apart else (kept, b"")
    finished = Finished(tuple(words), process.returncode, stdout, stderr)
    if finished.returncode not in ok:
        raise command_failed(finished)
    return finished


class _Running:
    """A program that runs, and who listens to which of its pipes."""

    def __init__(
        self,
        process: subprocess.Popen[bytes],
        argv: tuple[str, ...],
        cancelled: Callable[[], bool],
        paused: Callable[[], bool],
        timeout: float | None,
    ) -> None:
        self.kept = bytearray()
        self.was_cancelled = False
        self._process = process
        self._argv = argv
        self._cancelled = cancelled
        self._paused = paused
        self._timeout = timeout
        self._selector = selectors.DefaultSelector()
        self._kill_at: float | None = None

    def listen(self, descriptor: int, *listeners: Callable[[bytes], None]) -> None:
        """Hand on what comes from a pipe."""
        self._selector.register(descriptor, selectors.EVENT_READ, listeners)

    def keep(self, data: bytes) -> None:
        """Keep the end of what comes."""
        self.kept += data
        if len(self.kept) > 2 * KEPT_BYTES:
            del self.kept[:-KEPT_BYTES]

    def follow(self) -> None:
        """Until the program has ended and all its pipes have. Raises CommandTimeoutError."""
        began = asked = time.monotonic()
        while self._selector.get_map() or not self._has_ended():
            now = time.monotonic()
            if now - asked >= _POLL_SECONDS:
                asked = now
                self._ask()
            if self._timeout is not None and now - began >= self._timeout:
                raise timed_out(self._argv, self._timeout)
            if self._kill_at is not None and now >= self._kill_at:
                break
            self._read()
        if self.was_cancelled:
            # Whatever is left of the group, such as a child that has closed its output.
            kill_group(self._process)
        else:
            self._process.wait()
        del self.kept[:-KEPT_BYTES]

    def close(self) -> None:
        """Let go of the pipes."""
        self._selector.close()
        for pipe in (self._process.stdout, self._process.stderr):
            if pipe is not None:
                pipe.close()

    def _ask(self) -> None:
        if self._kill_at is not None:
            return
        stopped = self._paused()
        if stopped:
            self._signal(signal.SIGSTOP)
        try:
            wanted = self._cancelled()
        finally:
            if stopped:
                self._signal(signal.SIGCONT)
        if wanted:
            self.was_cancelled = True
            self._kill_at = time.monotonic() + TERM_SECONDS
            self._signal(signal.SIGTERM)

    def _signal(self, number: signal.Signals) -> None:
        with suppress(ProcessLookupError):
            os.killpg(self._process.pid, number)

    def _read(self) -> None:
        # With all pipes at their end, the process itself is about to end.
        seconds = _POLL_SECONDS if self._selector.get_map() else _POLL_SECONDS / 10
        for key, _ in self._selector.select(seconds):
            data = os.read(key.fd, _READ_BYTES)
            if not data:
                self._selector.unregister(key.fd)
                continue
            for listener in key.data:
                listener(data)

    def _has_ended(self) -> bool:
        # The process is not reaped yet: its number, and that of its group, stay its own.
        flags = os.WEXITED | os.WNOHANG | os.WNOWAIT
        return os.waitid(os.P_PID, self._process.pid, flags) is not None


def _ignore(data: bytes) -> None:
    """Nobody listens, but the program must not wait for a reader."""
