"""A regular file of a stick that is written: everything is on the medium when it says so."""

import ctypes
import errno
import os
from contextlib import suppress

from liveos_tui.errors import LiveosError
from liveos_tui.formats.text import clean
from liveos_tui.system.files import read_whole

# FALLOC_FL_KEEP_SIZE, linux/falloc.h.
_KEEP_SIZE = 1

_CHECK_IT = (
    "Close the console, unmount the stick, check it (`fsck.vfat -a DEVICE`, or "
    "`e2fsck -p DEVICE`), and go on then."
)
_HURT_HINT = f"The stick is failing, or a power cut has hurt its file system. {_CHECK_IT}"
READ_ONLY_HINT = (
    "The kernel makes a stick read-only when it meets errors in its file system, as a power cut "
    f"may leave them. {_CHECK_IT}"
)
"""What to do about a stick that takes no writes."""


class NoRoomError(LiveosError):
    """The file system is full."""


class WritableFile:
    """A regular file of a stick, open for reading and writing. A context manager."""

    def __init__(self, descriptor: int, name: str) -> None:
        self._descriptor = descriptor
        self.name = name

    @property
    def size_bytes(self) -> int:
        """Its size at this moment."""
        return os.fstat(self._descriptor).st_size

    def fileno(self) -> int:
        """Its descriptor, for a program that writes it."""
        return self._descriptor

    def read(self, offset: int, size: int) -> bytes:
        """Up to `size` bytes from `offset`: fewer only at the end. Raises LiveosError."""
        try:
            return read_whole(self._descriptor, offset, size)
        except (OSError, OverflowError) as error:
            raise write_failed(self.name, "read", _os_error(error), offset) from error

    def write(self, offset: int, data: bytes) -> None:
        """Write all of it. Raises NoRoomError, LiveosError."""
        rest = memoryview(data)
        while rest:
            try:
                done = os.pwrite(self._descriptor, rest, offset)
            except (OSError, OverflowError) as error:
                raise write_failed(self.name, "written", _os_error(error), offset) from error
            rest, offset = rest[done:], offset + done

    def truncate(self, size: int) -> None:
        """Cut the file to `size` bytes."""
        try:
            os.ftruncate(self._descriptor, size)
        except (OSError, OverflowError) as error:
            raise write_failed(self.name, "cut", _os_error(error)) from error

    def fill_holes(self, offset: int, size: int) -> None:
        """Have the file system provide these blocks; what is in them stays, even while it changes.

        The call itself, not the C library's stand-in for it, which writes bytes where the file
        system cannot: that would undo what the kernel writes at the same moment.
        """
        try:
            self._fallocate(0, offset, size)
        except OSError as error:
            raise write_failed(self.name, "filled", error, offset) from error

    def reserve(self, offset: int, size: int) -> None:
        """Have the file system set blocks aside behind the file's end; its size stays as it is.

        Where it cannot, nothing is done. Raises NoRoomError, LiveosError.
        """
        try:
            self._fallocate(_KEEP_SIZE, offset, size)
        except OSError as error:
            if error.errno != errno.EOPNOTSUPP:
                raise write_failed(self.name, "grown", error, offset) from error

    def _fallocate(self, mode: int, offset: int, size: int) -> None:
        libc = ctypes.CDLL(None, use_errno=True)
        arguments = (ctypes.c_int64(offset), ctypes.c_int64(size))
        if libc.fallocate64(self._descriptor, mode, *arguments) != 0:
            number = ctypes.get_errno()
            raise OSError(number, os.strerror(number))

    @property
    def block_bytes(self) -> int:
        """What the file system allocates at once: a cluster of a FAT."""
        return os.fstatvfs(self._descriptor).f_frsize

    def let_all_read(self) -> None:
        """Give it the mode that images have, where the file system knows of modes."""
        with suppress(OSError):
            os.fchmod(self._descriptor, 0o644)

    def sync(self) -> None:
        """Wait until it is on the medium. Raises LiveosError."""
        try:
            os.fsync(self._descriptor)
        except OSError as error:
            raise write_failed(self.name, "written", error) from error

    def forget_cache(self) -> None:
        """Have the next read come from the medium. Only what has been synced is forgotten."""
        os.posix_fadvise(self._descriptor, 0, 0, os.POSIX_FADV_DONTNEED)

    def __enter__(self) -> "WritableFile":
        return self

    def __exit__(self, *_: object) -> None:
        os.close(self._descriptor)


def _os_error(error: OSError | OverflowError) -> OSError:
    """An offset that no file has, as the kernel tells of one that this file cannot have."""
    if isinstance(error, OSError):
        return error
    return OSError(errno.EFBIG, os.strerror(errno.EFBIG))


def write_failed(name: str, done: str, error: OSError, offset: int | None = None) -> LiveosError:
    """What a person is told of a write that failed."""
    where = f" at byte {offset}" if offset is not None else ""
    message = f"{clean(name)} could not be {done}{where}: {error.strerror}."
    if error.errno in {errno.ENOSPC, errno.EDQUOT, errno.EFBIG}:
        return NoRoomError(message, "Free room on the stick and go on.")
    if error.errno == errno.EROFS:
        return LiveosError(message, READ_ONLY_HINT)
    if error.errno == errno.EIO:
        return LiveosError(message, _HURT_HINT)
    return LiveosError(message, "The stick may be failing, or gone.")
