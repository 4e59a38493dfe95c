"""Writing on a stick: files below one folder, no link followed, everything on the medium at once.

The folder is held open: whatever is mounted over its path meanwhile, the same stick is written.
"""

import ctypes
import errno
import fcntl
import os
import stat
from collections.abc import Iterable
from contextlib import suppress
from pathlib import Path

from liveos_tui.errors import LiveosError
from liveos_tui.formats.text import clean
from liveos_tui.system.files import Folder
from liveos_tui.system.writable_file import WritableFile, write_failed

_NEW = os.O_RDWR | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC
_OLD = os.O_RDWR | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC
# RENAME_NOREPLACE, RENAME_EXCHANGE: linux/fs.h.
_NO_REPLACE, _EXCHANGE = 1, 2


class StickBusyError(LiveosError):
    """Another process holds the stick's lock."""


class NoExchangeError(LiveosError):
    """The file system, or the kernel, cannot exchange two names at once."""


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
                "Nothing was changed. Wait for it, or cancel it (j Jobs, or `liveos-tui jobs`).",
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

    @property
    def block_bytes(self) -> int:
        """What the file system allocates at once: a cluster of a FAT."""
        return os.fstatvfs(self._descriptor).f_frsize

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

    def make_folder(self, relative: str, *, for_all: bool = False) -> None:
        """Make a folder if there is none; `for_all` may look into it. Raises LiveosError."""
        parent, _, name = relative.rpartition("/")
        step = self._open_folder(parent)
        try:
            os.mkdir(name, 0o700, dir_fd=step)
            if for_all:
                # A file system that knows of no modes says no.
                with suppress(OSError):
                    os.chmod(name, 0o755, dir_fd=step)  # noqa: S103 - a program's, no secret
            os.fsync(step)
        except FileExistsError:
            return
        except OSError as error:
            raise write_failed(relative, "made", error) from error
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
            raise write_failed(relative, "removed", error) from error
        finally:
            os.close(step)

    def remove_folder(self, relative: str) -> None:
        """Remove an empty folder. Raises LiveosError."""
        parent, _, name = relative.rpartition("/")
        step = self._open_folder(parent)
        try:
            os.rmdir(name, dir_fd=step)
            os.fsync(step)
        except OSError as error:
            raise write_failed(relative, "removed", error) from error
        finally:
            os.close(step)

    def exchange(self, one: str, two: str) -> None:
        """Exchange two names in one folder, at once and on the medium (RENAME_EXCHANGE).

        At every moment both names are there. Both files must be on the medium before. Raises
        NoExchangeError where the file system or the kernel cannot (vfat: before Linux 6.0).
        """
        self._rename(one, two, _EXCHANGE, "exchanged")

    def move(self, old: str, new: str) -> None:
        """Give a file another name; nothing is replaced. Raises LiveosError."""
        self._rename(old, new, _NO_REPLACE, "moved")

    def _rename(self, old: str, new: str, how: int, done: str) -> None:
        (source, _, name), (target, _, other) = old.rpartition("/"), new.rpartition("/")
        libc = ctypes.CDLL(None, use_errno=True)
        from_folder = self._open_folder(source)
        to_folder = self._open_folder(target)
        try:
            self._barrier(from_folder, to_folder, libc)
            words = os.fsencode(name), to_folder, os.fsencode(other)
            if libc.renameat2(from_folder, *words, how) != 0:
                number = ctypes.get_errno()
                if number in {errno.EINVAL, errno.ENOSYS} and how == _EXCHANGE:
                    raise NoExchangeError(
                        "This file system cannot exchange two names at once (FAT: from Linux 6.0).",
                        "Nothing was exchanged. Do it on a machine with a newer Linux.",
                    )
                raise write_failed(old, done, OSError(number, os.strerror(number)))
            self._barrier(from_folder, to_folder, libc)
        except OSError as error:
            raise write_failed(old, done, error) from error
        finally:
            os.close(from_folder)
            os.close(to_folder)

    def _barrier(self, one: int, two: int, libc: ctypes.CDLL) -> None:
        """Wait until all that was done so far is on the medium.

        syncfs alone does not have the device write out its cache on vfat; fsync of a folder does.
        """
        if libc.syncfs(one) != 0:
            raise OSError(ctypes.get_errno(), os.strerror(ctypes.get_errno()))
        os.fsync(one)
        os.fsync(two)

    def sync_folder(self, relative: str) -> None:
        """Wait until a folder's names are on the medium. Raises LiveosError."""
        step = self._open_folder(relative)
        try:
            os.fsync(step)
        except OSError as error:
            raise write_failed(relative or "The stick's folder", "written", error) from error
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
                raise write_failed(relative, "written", error) from error
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
