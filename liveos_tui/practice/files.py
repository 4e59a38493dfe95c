"""Plain files that stand for block devices."""

import errno
import fcntl
import os
from pathlib import Path
from typing import Protocol

from liveos_tui.errors import LiveosError
from liveos_tui.formats.cow import SECTOR_BYTES
from liveos_tui.formats.text import clean

_PIECE_BYTES = 1 << 20
_PAGE_BYTES = 4096


class BlockIoError(LiveosError):
    """A read or write that a block device refuses: EIO for the program that asked."""


class Backing(Protocol):
    """Something that is read and written like a block device. Offsets and sizes are bytes."""

    @property
    def size_bytes(self) -> int:
        """Its size at this moment: files can be grown while they are in use."""
        ...

    def read(self, offset: int, size: int) -> bytes:
        """All of these bytes. Raises BlockIoError when they are not all there."""
        ...

    def write(self, offset: int, data: bytes) -> None:
        """Write all of it. Raises BlockIoError when a part lies behind the end."""
        ...

    def sync(self) -> None:
        """Wait until what was written is on the medium."""
        ...

    def close(self) -> None:
        """Let go of it."""
        ...


class BlockFile:
    """A file as a loop device shows it: whole sectors, and nothing behind its end.

    With `exclusive` no other program (nor this one, a second time) gets it while it is open, as the
    device-mapper claims its devices.
    """

    def __init__(self, path: Path, *, writable: bool, exclusive: bool = False) -> None:
        self.path = path
        flags = (os.O_RDWR if writable else os.O_RDONLY) | os.O_CLOEXEC
        try:
            self._descriptor = os.open(path, flags)
        except OSError as error:
            raise LiveosError(
                f"{clean(str(path))} cannot be opened: {error.strerror}.",
                "Nothing was changed. Check the name, and that you may read and write it.",
            ) from error
        if exclusive:
            try:
                fcntl.flock(self._descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except OSError as error:
                os.close(self._descriptor)
                raise LiveosError(
                    f"{clean(str(path))} is in use.",
                    "Close the program that uses it; two writers would destroy it.",
                ) from error

    @property
    def size_bytes(self) -> int:
        """See `Backing.size_bytes`."""
        return os.fstat(self._descriptor).st_size // SECTOR_BYTES * SECTOR_BYTES

    def read(self, offset: int, size: int) -> bytes:
        """See `Backing.read`."""
        data = self.read_up_to(offset, size)
        if len(data) < size:
            raise self._error("read", offset, errno.EIO)
        return data

    def read_up_to(self, offset: int, size: int) -> bytes:
        """These bytes, or fewer at the end: a reader for `formats.cow`."""
        try:
            return os.pread(self._descriptor, size, offset)
        except (OSError, OverflowError) as error:
            number = error.errno if isinstance(error, OSError) else errno.EIO
            raise self._error("read", offset, number or errno.EIO) from error

    def write(self, offset: int, data: bytes) -> None:
        """See `Backing.write`. A full host file system fails the write, too."""
        if offset + len(data) > self.size_bytes:
            raise self._error("written", offset, errno.EIO)
        rest = memoryview(data)
        while rest:
            try:
                done = os.pwrite(self._descriptor, rest, offset)
            except OSError as error:
                raise self._error("written", offset, error.errno or errno.EIO) from error
            rest, offset = rest[done:], offset + done

    def sync(self) -> None:
        """See `Backing.sync`. A medium that failed meanwhile fails this."""
        try:
            os.fsync(self._descriptor)
        except OSError as error:
            raise self._error("written out", 0, error.errno or errno.EIO) from error

    def close(self) -> None:
        """See `Backing.close`."""
        os.close(self._descriptor)

    def _error(self, done: str, offset: int, number: int) -> BlockIoError:
        return BlockIoError(
            f"{clean(str(self.path))} cannot be {done} at byte {offset}: {os.strerror(number)}.",
            "Check that the file is whole and that its file system has room.",
        )


class SparseFile:
    """A new file in which zeros are holes, written from its start to its end.

    A context manager. Raises OSError as files do, FileExistsError for a name that is taken.
    """

    def __init__(self, path: Path) -> None:
        self._file = path.open("xb")
        self._unaligned = b""
        self.size_bytes = 0
        """How much was appended."""

    def append(self, data: bytes) -> None:
        """Write `data`, of any size, behind what is there."""
        self.size_bytes += len(data)
        data = self._unaligned + data
        whole = len(data) // _PAGE_BYTES * _PAGE_BYTES
        self._write(data[:whole])
        self._unaligned = data[whole:]

    def _write(self, data: bytes) -> None:
        if data == bytes(len(data)):
            self._file.seek(len(data), os.SEEK_CUR)
            return
        for start in range(0, len(data), _PAGE_BYTES):
            page = data[start : start + _PAGE_BYTES]
            if page == bytes(len(page)):
                self._file.seek(len(page), os.SEEK_CUR)
            else:
                self._file.write(page)

    def __enter__(self) -> "SparseFile":
        return self

    def __exit__(self, *_: object) -> None:
        with self._file:
            self._write(self._unaligned)
            self._file.truncate(self.size_bytes)


def copy_sparse(source: Backing, target: Path) -> None:
    """Write all of `source` to a new file in which zeros are holes."""
    size = source.size_bytes
    with SparseFile(target) as file:
        for offset in range(0, size, _PIECE_BYTES):
            file.append(source.read(offset, min(_PIECE_BYTES, size - offset)))
