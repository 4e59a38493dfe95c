"""Having the kernel read files ahead of who reads them, in a thread and bounded memory.

One thread: a kernel with one decompressor for each squashfs (SQUASHFS_DECOMP_SINGLE) has others
wait for it at full speed. Measured in the VM, Linux 6.1: two threads took twice the processor time
of one, and were no faster. The reader itself is a second one wherever it has caught up.
"""

import os
import threading
from collections.abc import Iterable
from contextlib import suppress

# The kernel reads no more ahead at once than the device's read_ahead_kb, 128 unless it was changed.
_WINDOW_BYTES = 128 << 10
_JOB_BYTES = 1 << 20
_AHEAD_BYTES = 24 << 20
# What the reader has behind it may still be on its way through a pipe.
_BEHIND_BYTES = 8 << 20


class ReadAhead:
    """Reads stretches of files, given as (descriptor, offset, size) in the order of the offsets.

    A context manager. The reader tells how far it is, and what lies well behind it is dropped from
    the kernel's cache, which has other uses. Errors are left to the reader, who meets them again.
    """

    def __init__(self, parts: Iterable[tuple[int, int, int]]) -> None:
        self._jobs = [
            (file, at, min(_JOB_BYTES, offset + size - at))
            for file, offset, size in parts
            for at in range(offset, offset + size, _JOB_BYTES)
        ]
        self._next = self._dropped = 0
        self._position = 0
        self._ended = False
        self._changed = threading.Condition()
        self._thread = threading.Thread(target=self._work, name="read-ahead", daemon=True)

    def __enter__(self) -> "ReadAhead":
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        with self._changed:
            self._ended = True
            self._changed.notify_all()
        # One that waits for a dead device is left behind, not waited for.
        self._thread.join(2.0)
        self._drop(None)

    def passed(self, offset: int) -> None:
        """The reader has everything before `offset`."""
        if offset - self._position >= _JOB_BYTES:
            with self._changed:
                self._position = offset
                self._changed.notify_all()
            self._drop(offset - _BEHIND_BYTES)

    def _drop(self, before: int | None) -> None:
        while self._dropped < len(self._jobs):
            file, at, size = self._jobs[self._dropped]
            if before is not None and at + size > before:
                break
            with suppress(OSError):
                os.posix_fadvise(file, at, size, os.POSIX_FADV_DONTNEED)
            self._dropped += 1

    def _work(self) -> None:
        while (job := self._take()) is not None:
            file, offset, size = job
            # At the bounds of a squashfs's blocks: one that is asked for in two halves may be
            # decompressed twice.
            for at in range(offset // _WINDOW_BYTES * _WINDOW_BYTES, offset + size, _WINDOW_BYTES):
                with suppress(OSError):
                    os.posix_fadvise(file, at, _WINDOW_BYTES, os.POSIX_FADV_WILLNEED)

    def _take(self) -> tuple[int, int, int] | None:
        """The next job that is not too far ahead, None at the end."""
        with self._changed:
            while not self._ended and self._next < len(self._jobs):
                job = self._jobs[self._next]
                if job[1] < self._position + _AHEAD_BYTES:
                    self._next += 1
                    if job[1] + job[2] > self._position:
                        return job
                else:
                    self._changed.wait()
            return None
