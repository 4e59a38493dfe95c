"""Writing on a stick: files below one folder, no link followed, everything on the medium at once.

The folder is held open: whatever is mounted over its path meanwhile, the same stick is written.
"""

import ctypes
import errno
import fcntl
import os
import stat
from collections.abc import Iterable
from pathlib import Path

from liveos_tui.errors import LiveosError
from liveos_tui.formats.text import clean
from liveos_tui.system.files import Folder, read_whole

_NEW = os.O_RDWR | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC
_OLD = os.O_RDWR | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC


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


class StickBusyError(LiveosError):
    """Another process holds the stick's lock."""


class WritableFile:
    """A regular file of a stick, open for reading and writing. A context manager."""

    def __init__(self, descriptor: int, name: str) -> None:
        self._descriptor = descriptor
        self.name = name

    @property
    def size_bytes(self) -> int:
        """Its size at this moment."""
        return os.fstat(self._descriptor).st_size

    def read(self, offset: int, size: int) -> bytes:
        """Up to `size` bytes from `offset`: fewer only at the end. Raises LiveosError."""
        try:
            return read_whole(self._descriptor, offset, size)
        except OSError as error:
            raise _failed(self.name, "read", error, offset) from error

    def write(self, offset: int, data: bytes) -> None:
        """Write all of it. Raises NoRoomError, LiveosError."""
        rest = memoryview(data)
        while rest:
            try:
                done = os.pwrite(self._descriptor, rest, offset)
            except OSError as error:
                raise _failed(self.name, "written", error, offset) from error
            rest, offset = rest[done:], offset + done

    def truncate(self, size: int) -> None:
        """Cut the file to `size` bytes."""
        try:
            os.ftruncate(self._descriptor, size)
        except OSError as error:
            raise _failed(self.name, "cut", error) from error

    def fill_holes(self, offset: int, size: int) -> None:
        """Have the file system provide these blocks; what is in them stays, even while it changes.

        The call itself, not the C library's stand-in for it, which writes bytes where the file
        system cannot: that would undo what the kernel writes at the same moment.
        """
        try:
            self._fallocate(0, offset, size)
        except OSError as error:
            raise _failed(self.name, "filled", error, offset) from error

    def reserve(self, offset: int, size: int) -> None:
        """Have the file system set blocks aside behind the file's end; its size stays as it is.

        Where it cannot, nothing is done. Raises NoRoomError, LiveosError.
        """
        try:
            self._fallocate(_KEEP_SIZE, offset, size)
        except OSError as error:
            if error.errno != errno.EOPNOTSUPP:
                raise _failed(self.name, "grown", error, offset) from error

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

    def sync(self) -> None:
        """Wait until it is on the medium. Raises LiveosError."""
        try:
            os.fsync(self._descriptor)
        except OSError as error:
            raise _failed(self.name, "written", error) from error

    def forget_cache(self) -> None:
        """Have the next read come from the medium. Only what has been synced is forgotten."""
        os.posix_fadvise(self._descriptor, 0, 0, os.POSIX_FADV_DONTNEED)

    def __enter__(self) -> "WritableFile":
        return self

    def __exit__(self, *_: object) -> None:
        os.close(self._descriptor)


class StickFolder(Folder):
    """A stick's top folder, to be read and written. A context manager, which holds it open."""

    def __init__(self, path: Path) -> None:
        super().__init__(path)
        self._descriptor = super()._open_top()
        self._locked = -1

    def __enter__(self) -> "StickFolder":
        return self

    def __exit__(self, *_: object) -> None:
        if self._locked >= 0:
            os.close(self._locked)
        os.close(self._descriptor)

    def lock(self, relative: str) -> None:
        """Take the lock of the stick on one of its folders, until this is closed.

        A lock of the kernel: no file is written, and a process that dies lets go of it. Raises
        StickBusyError when another process has it.
        """
        descriptor = self._open_folder(relative)
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as error:
            os.close(descriptor)
            raise StickBusyError(
                "Another job works on this stick.",
                "Nothing was changed. `liveos-tui jobs` lists it; wait for it, or cancel it.",
            ) from error
        self._locked = descriptor

    @property
    def writable(self) -> bool:
        """Whether the file system takes writes through this folder."""
        return not os.fstatvfs(self._descriptor).f_flag & os.ST_RDONLY

    @property
    def free_bytes(self) -> int:
        """Room on the file system."""
        status = os.fstatvfs(self._descriptor)
        return status.f_bavail * status.f_frsize

    def edit(self, relative: str) -> WritableFile:
        """Open an existing regular file. Raises NotThereError, LiveosError."""
        return self._file(relative, _OLD)

    def create(self, relative: str) -> WritableFile:
        """Make a new file; its folder is on the medium when this returns. Raises LiveosError."""
        file = self._file(relative, _NEW)
        self.sync_folder(relative.rpartition("/")[0])
        return file

    def write_new(self, relative: str, pieces: Iterable[tuple[int, bytes]]) -> None:
        """Make a file of (offset, bytes), and wait until it is on the medium.

        One that was left half written is made anew. Raises NoRoomError, LiveosError.
        """
        self.remove(relative)
        with self.create(relative) as file:
            for offset, data in pieces:
                file.write(offset, data)
            file.sync()

    def make_folder(self, relative: str) -> None:
        """Make a folder if there is none. Raises LiveosError."""
        parent, _, name = relative.rpartition("/")
        step = self._open_folder(parent)
        try:
            os.mkdir(name, 0o700, dir_fd=step)
            os.fsync(step)
        except FileExistsError:
            return
        except OSError as error:
            raise _failed(relative, "made", error) from error
        finally:
            os.close(step)

    def remove(self, relative: str) -> None:
        """Remove a file if there is one. Raises LiveosError."""
        parent, _, name = relative.rpartition("/")
        step = self._open_folder(parent)
        try:
            os.unlink(name, dir_fd=step)
            os.fsync(step)
        except FileNotFoundError:
            return
        except OSError as error:
            raise _failed(relative, "removed", error) from error
        finally:
            os.close(step)

    def sync_folder(self, relative: str) -> None:
        """Wait until a folder's names are on the medium. Raises LiveosError."""
        step = self._open_folder(relative)
        try:
            os.fsync(step)
        except OSError as error:
            raise _failed(relative or "The stick's folder", "written", error) from error
        finally:
            os.close(step)

    def _open_top(self) -> int:
        return os.open(".", os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC, dir_fd=self._descriptor)

    def _file(self, relative: str, flags: int) -> WritableFile:
        parent, _, name = relative.rpartition("/")
        step = self._open_folder(parent)
        try:
            descriptor = os.open(name, flags, 0o600, dir_fd=step)
        except OSError as error:
            if flags & os.O_CREAT or error.errno in {errno.EROFS, errno.EACCES, errno.ETXTBSY}:
                raise _failed(relative, "written", error) from error
            raise self._error(relative, error) from error
        finally:
            os.close(step)
        if not stat.S_ISREG(os.fstat(descriptor).st_mode):
            os.close(descriptor)
            raise LiveosError(
                f"{clean(relative)} is not a regular file and was not written.",
                "A live system has plain files there. Nothing was changed.",
            )
        return WritableFile(descriptor, relative)


def _failed(name: str, done: str, error: OSError, offset: int | None = None) -> LiveosError:
    where = f" at byte {offset}" if offset is not None else ""
    message = f"{clean(name)} could not be {done}{where}: {error.strerror}."
    if error.errno in {errno.ENOSPC, errno.EDQUOT, errno.EFBIG}:
        return NoRoomError(message, "Free room on the stick and go on.")
    if error.errno == errno.EROFS:
        return LiveosError(message, READ_ONLY_HINT)
    if error.errno == errno.EIO:
        return LiveosError(message, _HURT_HINT)
    return LiveosError(message, "The stick may be failing, or gone.")
