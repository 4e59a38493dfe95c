"""Reading a stick's files, none of which is trusted.

A stick that someone handed over may hold links out of itself, FIFOs that never answer, or devices.
Paths are walked step by step without following links, and only regular files are read.
"""

import errno
import os
import stat
from contextlib import suppress
from dataclasses import dataclass
from mmap import mmap
from pathlib import Path

from liveos_tui.errors import LiveosError, PrivilegeError, UnreadableError
from liveos_tui.formats.text import clean, shell_word

_STEP = os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC
# Non-blocking: opening a FIFO must not wait for a writer. Regular files do not notice.
_FILE = os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC
_SECTOR_BYTES = 512


class NotThereError(LiveosError):
    """There is no such file."""


@dataclass(frozen=True, slots=True)
class FileIdentity:
    """Which file this is and whether it has changed: device, inode, bytes, last change."""

    device: int
    inode: int
    size_bytes: int
    modified_ns: int
    allocated_bytes: int


class OpenFile:
    """A regular file of a stick, open for reading. A context manager."""

    def __init__(self, descriptor: int, name: str) -> None:
        self._descriptor = descriptor
        self.name = name
        status = os.fstat(descriptor)
        self.identity = FileIdentity(
            status.st_dev,
            status.st_ino,
            status.st_size,
            status.st_mtime_ns,
            status.st_blocks * 512,
        )

    def read(self, offset: int, size: int) -> bytes:
        """Up to `size` bytes from `offset`: fewer only at the end. Raises UnreadableError."""
        try:
            return read_whole(self._descriptor, offset, size)
        except (OSError, OverflowError) as error:
            reason = error.strerror if isinstance(error, OSError) else "the offset is impossible"
            raise UnreadableError(
                f"{clean(self.name)} cannot be read at byte {offset}: {reason}.",
                "Nothing was changed. The stick may be failing: copy it before anything else.",
            ) from error

    def read_readable(self, size: int) -> bytes:
        """Up to `size` bytes from the beginning: what lies before an error, or before the end."""
        with suppress(UnreadableError):
            return self.read(0, size)
        data = b""
        with suppress(OSError), mmap(-1, _SECTOR_BYTES) as sector:
            # Past the cache, which reads pages: of one that has an error it gives nothing.
            direct = os.open(f"/proc/self/fd/{self._descriptor}", os.O_RDONLY | os.O_DIRECT)
            try:
                while len(data) < size and (got := os.preadv(direct, [sector], len(data))):
                    data += sector[:got]
            finally:
                os.close(direct)
        return data[:size]

    def forget_cache(self) -> None:
        """Have the next read come from the medium. Only what has been synced is forgotten."""
        os.posix_fadvise(self._descriptor, 0, 0, os.POSIX_FADV_DONTNEED)

    def __enter__(self) -> "OpenFile":
        return self

    def __exit__(self, *_: object) -> None:
        os.close(self._descriptor)


def read_whole(descriptor: int, offset: int, size: int) -> bytes:
    """Up to `size` bytes from `offset`: fewer only at the end. Raises OSError, OverflowError.

    Where a sector is bad the kernel gives what lies before it, and the error only to the next read:
    one read alone would take a bad sector for the file's end.
    """
    data = piece = os.pread(descriptor, size, offset)
    while piece and len(data) < size:
        piece = os.pread(descriptor, size - len(data), offset + len(data))
        data += piece
    return data


class Folder:
    """The tree below `path`, as far as it can be reached without a link."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def open(self, relative: str) -> OpenFile:
        """Open a regular file below. Raises NotThereError and UnreadableError."""
        parent, _, name = relative.rpartition("/")
        step = self._open_folder(parent)
        try:
            descriptor = os.open(name, _FILE, dir_fd=step)
        except OSError as error:
            raise self._error(relative, error) from error
        finally:
            os.close(step)
        if not stat.S_ISREG(os.fstat(descriptor).st_mode):
            os.close(descriptor)
            raise UnreadableError(
                f"{clean(relative)} is not a regular file and was not read.",
                "A live system has plain files there. Nothing was changed.",
            )
        return OpenFile(descriptor, relative)

    def names(self, relative: str = "") -> tuple[str, ...]:
        """Names in a folder below, sorted. Raises NotThereError and UnreadableError."""
        step = self._open_folder(relative)
        try:
            return tuple(sorted(os.listdir(step)))  # noqa: PTH208 - by descriptor, not by path
        except OSError as error:
            raise self._error(relative, error) from error
        finally:
            os.close(step)

    def is_folder(self, relative: str) -> bool:
        """Whether there is a folder (no link to one) below. Raises PrivilegeError."""
        try:
            os.close(self._open_folder(relative))
        except PrivilegeError:
            raise
        except LiveosError:
            return False
        return True

    def is_file(self, relative: str) -> bool:
        """Whether there is a regular file (no link to one) below. Raises PrivilegeError."""
        try:
            with self.open(relative):
                return True
        except PrivilegeError:
            raise
        except LiveosError:
            return False

    def _open_top(self) -> int:
        try:
            return os.open(self.path, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
        except OSError as error:
            raise self._error("", error) from error

    def _open_folder(self, relative: str) -> int:
        step = self._open_top()
        for part in filter(None, relative.split("/")):
            if part == "..":
                os.close(step)
                raise UnreadableError(f"{clean(relative)} leads out of the stick.")
            try:
                following = os.open(part, _STEP, dir_fd=step)
            except OSError as error:
                raise self._error(relative, error) from error
            finally:
                os.close(step)
            step = following
        return step

    def _error(self, relative: str, error: OSError) -> LiveosError:
        name = clean(relative or str(self.path))
        if isinstance(error, FileNotFoundError):
            return NotThereError(f"{name} is not there.")
        if isinstance(error, PermissionError):
            return not_allowed(self.path / relative, "read", name)
        if error.errno == errno.ELOOP:
            return UnreadableError(f"{name} is a link, and links are not followed.")
        return UnreadableError(f"{name} cannot be read: {error.strerror}.", "Nothing was changed.")


def not_allowed(path: Path, what: str, name: str = "") -> PrivilegeError:
    """A right is missing, to `what` ("read", "write"): the owner can give it, or root has it."""
    help_ = "It belongs to another user: run it as root."
    with suppress(OSError):
        # What is in a folder that may not be entered cannot be looked at: it is about that one.
        locked = next(each for each in (path, *path.parents) if os.access(each, os.F_OK))
        if locked.stat().st_uid == os.geteuid():
            letters = "u+rwX" if what == "write" else "u+rX"
            help_ = f"It is your own: `chmod {letters} {shell_word(str(locked))}` gives the right."
    return PrivilegeError(
        f"This user may not {what} {name or clean(str(path))}.", f"Nothing was changed. {help_}"
    )


def status_of(path: Path) -> os.stat_result:
    """What `stat` says of a path of this machine. Raises UnreadableError."""
    try:
        return path.stat()
    except OSError as error:
        raise UnreadableError(
            f"{clean(str(path))} cannot be looked at: {error.strerror}.", "Nothing was changed."
        ) from error


def open_own(path: Path) -> OpenFile:
    """Open a device or file that this project has made itself, to read it. Raises UnreadableError.

    Where paths come from a stick, `Folder` opens them.
    """
    try:
        return OpenFile(os.open(path, os.O_RDONLY | os.O_CLOEXEC), path.name)
    except OSError as error:
        raise UnreadableError(
            f"{clean(str(path))} cannot be opened: {error.strerror}.", "Nothing was changed."
        ) from error


def read_small(path: Path, limit: int = 65536) -> str | None:
    """Text of a file of /proc or /sys, None where it is not there or cannot be read."""
    try:
        with path.open("rb") as file:
            return file.read(limit).decode("utf-8", "surrogateescape")
    except OSError:
        return None
