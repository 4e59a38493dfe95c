"""Giving back the blocks of a file in which there are only zeros."""

import ctypes
import errno
import os

# linux/falloc.h
_KEEP_SIZE, _PUNCH_HOLE = 1, 2

_READ_BYTES = 1 << 20
# A hole of one page more or less saves nothing, and each is an extent for the file system to keep.
_UNIT_BYTES = 1 << 16
_ZEROS = bytes(_READ_BYTES)


class HoleDigger:
    """Makes holes where an open file has zeros, from its start on, as far as it is told each time.

    What it has passed must not be written any more. Bytes that are still in the cache are never
    written to the disk where they became a hole. Raises OSError for what cannot be read.
    """

    def __init__(self, descriptor: int) -> None:
        self._descriptor = descriptor
        self._libc = ctypes.CDLL(None, use_errno=True)
        # One for all reads: new pages for each would take more time than the reading.
        self._buffer = bytearray(_READ_BYTES)
        self._able = True
        self.at = 0
        """The byte up to which it has come."""

    def dig(self, end: int) -> bool:
        """Go on for a mebibyte, but not beyond `end`; whether there is more before it."""
        if not self._able or self.at >= end:
            return False
        size = min(_READ_BYTES, end - self.at)
        done = min(size, os.preadv(self._descriptor, [self._buffer], self.at))
        for start, length in self._zeros(done):
            self._punch(self.at + start, length)
        # A file that ends before has nothing more to give.
        self.at += done or size
        return self.at < end

    def _zeros(self, size: int) -> list[tuple[int, int]]:
        """Runs of zeros in the first bytes of the buffer, each as offset and size."""
        if size == _READ_BYTES and self._buffer == _ZEROS:
            return [(0, size)]
        runs: list[tuple[int, int]] = []
        for start in range(0, size, _UNIT_BYTES):
            length = min(_UNIT_BYTES, size - start)
            if self._buffer[start : start + length] != _ZEROS[:length]:
                continue
            if runs and sum(runs[-1]) == start:
                runs[-1] = (runs[-1][0], runs[-1][1] + length)
            else:
                runs.append((start, length))
        return runs

    def _punch(self, offset: int, size: int) -> None:
        if not self._able:
            return
        arguments = (ctypes.c_int64(offset), ctypes.c_int64(size))
        mode = _PUNCH_HOLE | _KEEP_SIZE
        if self._libc.fallocate64(self._descriptor, mode, *arguments) != 0:
            number = ctypes.get_errno()
            if number not in {errno.EOPNOTSUPP, errno.ENOSYS}:
                raise OSError(number, os.strerror(number))
            # A FAT: the file keeps its zeros.
            self._able = False
