"""Reading and writing a block device past the page cache.

A write that a snapshot refuses fails at once, and alone; through the page cache it would be taken,
and fail later without saying which it was.
"""

import errno
import mmap
import os
import stat
from pathlib import Path

from liveos_tui.formats.cow import SECTOR_BYTES

_PIECE_BYTES = 1 << 20


class DirectDevice:
    """An open block device. Offsets and sizes are bytes, in any alignment. Raises OSError.

    Not for several threads at once: they would share one buffer.
    """

    def __init__(self, path: Path, *, writable: bool) -> None:
        flags = (os.O_RDWR if writable else os.O_RDONLY) | os.O_DIRECT | os.O_CLOEXEC
        self._descriptor = os.open(path, flags)
        try:
            if not stat.S_ISBLK(os.fstat(self._descriptor).st_mode):
                raise OSError(errno.ENOTBLK, os.strerror(errno.ENOTBLK))
            self.size_bytes = os.lseek(self._descriptor, 0, os.SEEK_END)
            # Anonymous memory begins at a page, which is what direct I/O wants.
            self._buffer = mmap.mmap(-1, _PIECE_BYTES)
        except BaseException:
            os.close(self._descriptor)
            raise

    def read(self, offset: int, size: int) -> bytes:
        """All of these bytes."""
        self._check(offset, size)
        pieces = []
        while size:
            start = offset % SECTOR_BYTES
            length = min(size, _PIECE_BYTES - start)
            self._read_sectors(offset - start, _whole_sectors(start + length))
            pieces.append(self._buffer[start : start + length])
            offset, size = offset + length, size - length
        return b"".join(pieces)

    def write(self, offset: int, data: bytes) -> None:
        """Write all of it; sectors that are written in part keep the rest of what they held."""
        self._check(offset, len(data))
        rest = memoryview(data)
        while rest:
            start = offset % SECTOR_BYTES
            piece = rest[: _PIECE_BYTES - start]
            size = _whole_sectors(start + len(piece))
            if size != len(piece):
                self._read_sectors(offset - start, size)
            self._buffer[start : start + len(piece)] = bytes(piece)
            with memoryview(self._buffer) as view, view[:size] as sectors:
                if os.pwritev(self._descriptor, [sectors], offset - start) != size:
                    raise OSError(errno.EIO, os.strerror(errno.EIO))
            rest, offset = rest[len(piece) :], offset + len(piece)

    def sync(self) -> None:
        """Wait until what was written is on the medium."""
        os.fsync(self._descriptor)

    def close(self) -> None:
        """Let go of the device."""
        self._buffer.close()
        os.close(self._descriptor)

    def _check(self, offset: int, size: int) -> None:
        if offset < 0 or offset + size > self.size_bytes:
            raise OSError(errno.ENXIO, "it ends before")

    def _read_sectors(self, offset: int, size: int) -> None:
        with memoryview(self._buffer) as view, view[:size] as sectors:
            if os.preadv(self._descriptor, [sectors], offset) != size:
                raise OSError(errno.EIO, os.strerror(errno.EIO))


def _whole_sectors(size: int) -> int:
    return -(-size // SECTOR_BYTES) * SECTOR_BYTES
