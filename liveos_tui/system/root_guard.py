"""What makes it safe to suspend the root: memory that is all there, and a watchdog.

Between suspend and resume of the root nothing may read it: a page of a program or library that is
not in memory would be waited for, for ever. So all of this process is locked in memory before
(mlockall: what is mapped is read in, and what comes is there at once), no signal is handled, no
garbage collected.

The watchdog is a second process, forked before and locked in memory itself. When this one dies, or
says nothing for too long and is killed for it, the watchdog calls `revive`. It acts only when this
process does no more: a killed process finishes the call into the kernel that it is in, and then
none. Only where that call cannot end because it waits for the suspended root itself is its end not
waited for; so while this process changes names on the stick (`on_stick`), which the watchdog must
not judge before it is over and which never waits for the root, its end is waited for in any case.
"""

import contextlib
import ctypes
import gc
import mmap
import os
import select
import signal
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from liveos_tui.errors import LiveosError

WATCHDOG_SECONDS = 15.0
"""How long the root may stand still before the watchdog lets it go on."""

# MCL_CURRENT | MCL_FUTURE, linux/mman.h.
_LOCK_ALL = 3
_GRACE_SECONDS = 3.0
_TRIES = 50
_READY, _DONE = b"r", b"d"


class Guard:
    """What the process that has suspended the root tells its watchdog."""

    def __init__(self, stage: mmap.mmap) -> None:
        self._stage = stage

    @contextmanager
    def on_stick(self) -> Iterator[None]:
        """Names on the stick change."""
        self._stage[0] = 1
        try:
            yield
        finally:
            self._stage[0] = 0


@contextmanager
def guarded(revive: Callable[[], None], seconds: float = WATCHDOG_SECONDS) -> Iterator[Guard]:
    """The root may be suspended in this context; it goes on at its end in any case.

    `revive` finds out what state the root is in and lets it go on; it does nothing to a root that
    is not suspended, so it is tried before. It is called here when the context ends with an error,
    and by the watchdog when this process does not come to that. Raises LiveosError before anything
    has happened when memory cannot be locked.
    """
    with _locked_memory(), mmap.mmap(-1, mmap.PAGESIZE) as stage:
        revive()
        watchdog, tell = _start_watchdog(revive, seconds, stage)
        try:
            try:
                yield Guard(stage)
            except BaseException:
                revive()
                raise
            os.write(tell, _DONE)
        finally:
            # Without the word before, this is the watchdog's sign that it is needed.
            os.close(tell)
            os.waitpid(watchdog, 0)


@contextmanager
def _locked_memory() -> Iterator[None]:
    libc = ctypes.CDLL(None, use_errno=True)
    gc.collect()
    collects = gc.isenabled()
    gc.disable()
    every_signal = set(signal.Signals) - {signal.SIGKILL, signal.SIGSTOP}
    mask = signal.pthread_sigmask(signal.SIG_BLOCK, every_signal)
    try:
        _lock(libc)
        yield
    finally:
        libc.munlockall()
        signal.pthread_sigmask(signal.SIG_SETMASK, mask)
        if collects:
            gc.enable()


def _lock(libc: ctypes.CDLL) -> None:
    if libc.mlockall(_LOCK_ALL) != 0:
        raise LiveosError(
            f"The memory cannot be locked: {os.strerror(ctypes.get_errno())}.",
            "The root was not touched. It needs root, and memory: close some programs.",
        )


def _start_watchdog(
    revive: Callable[[], None], seconds: float, stage: mmap.mmap
) -> tuple[int, int]:
    """The watchdog's process, once it is ready, and where it is told that all is well."""
    libc = ctypes.CDLL(None, use_errno=True)
    listen, tell = os.pipe()
    hear, say = os.pipe()
    parent = os.getpid()
    child = os.fork()
    if child == 0:
        try:
            os.close(tell)
            os.close(hear)
            os.setsid()
            _spare()
            _lock(libc)
            revive()
            os.write(say, _READY)
            os.close(say)
            _watch(revive, parent, listen, seconds, stage)
        finally:
            os._exit(0)
    os.close(listen)
    os.close(say)
    try:
        ready = os.read(hear, 1)
    finally:
        os.close(hear)
    if ready != _READY:
        os.close(tell)
        os.waitpid(child, 0)
        raise LiveosError("The watchdog did not start.", "The root was not touched.")
    return child, tell


def _spare() -> None:
    """When memory runs out, others are to be killed."""
    with contextlib.suppress(OSError):
        Path("/proc/self/oom_score_adj").write_text("-1000", encoding="ascii")


def _watch(
    revive: Callable[[], None], parent: int, listen: int, seconds: float, stage: mmap.mmap
) -> None:
    ended = select.poll()
    ended.register(listen, select.POLLIN | select.POLLHUP)
    if ended.poll(seconds * 1000):
        if os.read(listen, 1) == _DONE:
            return
    else:
        os.kill(parent, signal.SIGKILL)
        while not ended.poll(_GRACE_SECONDS * 1000) and stage[0]:
            pass
    for _ in range(_TRIES):
        try:
            revive()
        except (LiveosError, OSError):
            time.sleep(0.1)
        else:
            return
