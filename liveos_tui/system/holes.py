"""Giving back the blocks of a file in which there are only zeros."""

import ctypes
import errno
import os

# linux/falloc.h
_KEEP_SIZE, _PUNCH_HOLE = 1, 2

# A hole of one page more or less saves nothing, and each is an extent for the file system to keep.
_UNIT_BYTES = 1 << 16
_ZEROS = bytes(_UNIT_BYTES)
_UNITS = 16


class HoleDigger:
    """Makes holes where an open file has zeros, from its start on, as far as it is told each time.

    What it has passed must not be written any more. Bytes that are still in the cache are never
    written to the disk where they became a hole. Raises OSError for what cannot be read.
    """

    def __init__(self, descriptor: int) -> None:
        self._descriptor = descriptor
        self._libc = ctypes.CDLL(None, use_errno=True)
        # One buffer for all reads, and compared as a whole: pages that are made anew for each read
        # would take more time than the reading.
        self._buffer = bytearray(_UNIT_BYTES)
        self._able = True
        self.at = 0
        """The byte up to which it has come."""

    def dig(self, end: int) -> bool:
        """Go on for a mebibyte, but not beyond `end`; whether there is more before it."""
        begun: int | None = None
        for _ in range(_UNITS):
            if not self._able or self.at >= end:
                break
            size = min(_UNIT_BYTES, end - self.at)
            if self._is_zero(size):
                begun = self.at if begun is None else begun
            elif begun is not None:
                self._punch(begun, self.at - begun)
                begun = None
            self.at += size
        if begun is not None:
            self._punch(begun, self.at - begun)
        return self._able and self.at < end

    def _is_zero(self, size: int) -> bool:
        """Whether the next bytes are zeros; those behind the end of the file are not."""
        done = os.preadv(self._descriptor, [self._buffer], self.at)
        if size == done == _UNIT_BYTES:
            return self._buffer == _ZEROS
        return done >= size and self._buffer[:size] == _ZEROS[:size]

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
