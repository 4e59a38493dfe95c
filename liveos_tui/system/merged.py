"""The merged view of base and overlay as one stream: in order, fast, without what is not in use.

Chunks that the overlay does not hold come from the base itself, with no device-mapper in between;
those that it holds come from the view. A thread has the kernel read ahead, so that it decompresses
a squashfs meanwhile. The bytes go from the kernel's cache to a pipe without being copied (splice).
"""

import errno
import fcntl
import os
import threading
from bisect import bisect_left
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import ExitStack, suppress
from dataclasses import dataclass
from enum import Enum
from pathlib import Path

from liveos_tui.errors import LiveosError, UnreadableError
from liveos_tui.formats.free_blocks import Range, UsedBlocks
from liveos_tui.formats.text import clean
from liveos_tui.system.files import read_small, read_whole
from liveos_tui.system.read_ahead import ReadAhead
from liveos_tui.system.streaming import never, stream

PIECE_BYTES = 1 << 20

# Between two chunks of the overlay so much of the base is read through the view, too: small reads
# cost more than they save.
_NEAR_BYTES = 64 << 10
_LEAST_PAUSE_SECONDS, _MOST_PAUSE_SECONDS = 0.0002, 0.02
# Others than root have 1 MiB at most, unless fs.pipe-max-size says otherwise.
_PIPE_BYTES = (4 << 20, 1 << 20)
_NO_SPLICE = {errno.EINVAL, errno.ENOSYS, errno.EOPNOTSUPP}
_UNREADABLE_HINT = (
    "The image and the overlay are as they were. The stick may be failing: copy it before anything "
    "else."
)


class Origin(Enum):
    """Where a stretch of the merged view is read."""

    NOTHING = "nowhere: the file system does not use it"
    BASE = "the base image"
    VIEW = "the overlay"


@dataclass(frozen=True, slots=True)
class Stretch:
    """Bytes of the merged view that come from one place."""

    origin: Origin
    offset: int
    size: int


def used_ranges(
    path: Path, *, cancelled: Callable[[], bool] = never, timeout: float = 600.0
) -> tuple[Range, ...]:
    """The bytes that the ext file system on a device or file uses.

    Raises LiveosError when dumpe2fs cannot tell, CancelledError.
    """
    blocks = UsedBlocks()
    stream(
        ["dumpe2fs", str(path)],
        on_output=blocks.feed,
        cancelled=cancelled,
        errors_apart=True,
        timeout=timeout,
    )
    return blocks.ranges()


def stretches(
    size_bytes: int, used: Sequence[Range], mapped: Iterable[int], chunk_bytes: int
) -> tuple[Stretch, ...]:
    """All of the view, in order. `mapped` are the chunks that the overlay holds, in any order."""
    runs = _runs(mapped, chunk_bytes, size_bytes)
    starts = [start for start, _ in runs]
    found: list[Stretch] = []
    at = 0
    for start, end in ((start, min(end, size_bytes)) for start, end in used):
        if start >= end:
            continue
        _append(found, Origin.NOTHING, at, start)
        at = start
        index = max(0, bisect_left(starts, start) - 1)
        while at < end:
            while index < len(runs) and runs[index][1] <= at:
                index += 1
            first, last = runs[index] if index < len(runs) else (end, end)
            _append(found, Origin.BASE, at, min(first, end))
            at = max(at, min(first, end))
            _append(found, Origin.VIEW, at, min(last, end))
            at = max(at, min(last, end))
    _append(found, Origin.NOTHING, at, size_bytes)
    return tuple(found)


def _append(found: list[Stretch], origin: Origin, start: int, end: int) -> None:
    if start < end:
        found.append(Stretch(origin, start, end - start))


def _runs(mapped: Iterable[int], chunk_bytes: int, size_bytes: int) -> list[Range]:
    """Chunks that lie together, or nearly so, as bytes."""
    runs: list[Range] = []
    for chunk in sorted(mapped):
        start = chunk * chunk_bytes
        if start >= size_bytes:
            break
        end = min(start + chunk_bytes, size_bytes)
        if runs and start - runs[-1][1] <= _NEAR_BYTES:
            runs[-1] = runs[-1][0], max(runs[-1][1], end)
        else:
            runs.append((start, end))
    return runs


class MergedReader:
    """Reads the stretches of a view. A context manager, for one pass at a time.

    `base` is a file in a mounted squashfs, a loop device or a plain file; `view` a device or file
    with the view's bytes.
    """

    def __init__(self, base: Path, view: Path, parts: Sequence[Stretch]) -> None:
        self.parts = parts
        self.size_bytes = parts[-1].offset + parts[-1].size if parts else 0
        self.done_bytes = 0
        """How far the pass is. For other threads, too."""
        self._names = {Origin.BASE: "The base image", Origin.VIEW: "The merged view"}
        self._held = ExitStack()
        self._files: dict[Origin, int] = {}
        try:
            self._files[Origin.BASE] = self._open(behind_loop(base))
            self._files[Origin.VIEW] = self._open(view)
            zeros = self._files[Origin.NOTHING] = os.memfd_create("liveos-tui-zeros")
            self._held.callback(os.close, zeros)
            os.write(zeros, bytes(PIECE_BYTES))
        except BaseException:
            self._held.close()
            raise

    def __enter__(self) -> "MergedReader":
        return self

    def __exit__(self, *_: object) -> None:
        self._held.close()

    def send(self, pipe: int, stop: threading.Event) -> None:
        """Write all of it to a pipe. Ends early, without a word, when `stop` is set.

        Raises BrokenPipeError when nobody reads it any more, UnreadableError.
        """
        pace = _Pace(_enlarged(pipe))
        os.set_blocking(pipe, False)
        with self._read_ahead() as ahead:
            for part in self.parts:
                at, end = part.offset, part.offset + part.size
                while at < end and not stop.is_set():
                    size = min(end - at, PIECE_BYTES)
                    sent = self._send(pipe, part.origin, at, size)
                    at += sent
                    self.done_bytes = at
                    ahead.passed(at)
                    pace.sent(sent)
                    if sent < size:
                        stop.wait(pace.pause())

    def pieces(self) -> Iterator[tuple[int, bytes]]:
        """(offset, bytes) of what is in use, in order. Raises UnreadableError."""
        with self._read_ahead() as ahead:
            for part in self.parts:
                end = part.offset + part.size
                if part.origin is not Origin.NOTHING:
                    for at in range(part.offset, end, PIECE_BYTES):
                        ahead.passed(at)
                        yield at, self._read(part.origin, at, min(end - at, PIECE_BYTES))
                self.done_bytes = end

    def _read_ahead(self) -> ReadAhead:
        return ReadAhead(
            (self._files[part.origin], part.offset, part.size)
            for part in self.parts
            if part.origin is not Origin.NOTHING
        )

    def _send(self, pipe: int, origin: Origin, at: int, size: int) -> int:
        """Send up to `size` bytes; how many were sent: none when the pipe is full."""
        file = self._files[origin]
        source = 0 if origin is Origin.NOTHING else at
        try:
            sent = os.splice(file, pipe, size, offset_src=source, flags=os.SPLICE_F_NONBLOCK)
        except BrokenPipeError:
            raise
        except BlockingIOError:
            return 0
        except OSError as error:
            if error.errno not in _NO_SPLICE:
                raise self._unreadable(origin, at, error.strerror) from error
            return self._write(pipe, self._read(origin, at, min(size, _NEAR_BYTES)))
        if not sent:
            raise self._unreadable(origin, at, "it ends there")
        return sent

    def _write(self, pipe: int, data: bytes) -> int:
        try:
            return os.write(pipe, data)
        except BlockingIOError:
            return 0

    def _read(self, origin: Origin, at: int, size: int) -> bytes:
        if origin is Origin.NOTHING:
            return bytes(size)
        try:
            data = read_whole(self._files[origin], at, size)
        except OSError as error:
            raise self._unreadable(origin, at, error.strerror) from error
        if len(data) != size:
            raise self._unreadable(origin, at + len(data), "it ends there")
        return data

    def _open(self, path: Path) -> int:
        try:
            descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
        except OSError as error:
            raise UnreadableError(
                f"{clean(str(path))} cannot be opened: {error.strerror}.", "Nothing was changed."
            ) from error
        self._held.callback(os.close, descriptor)
        return descriptor

    def _unreadable(self, origin: Origin, at: int, reason: str | None) -> LiveosError:
        return UnreadableError(
            f"{self._names[origin]} cannot be read at byte {at}: {reason}.", _UNREADABLE_HINT
        )


class _Pace:
    """How long a full pipe is left alone.

    Woken for each page that is taken out of it, both sides would do little else: it is filled again
    when about half of it is empty, and never becomes empty before a slow reader.
    """

    def __init__(self, pipe_bytes: int) -> None:
        self._pipe_bytes = pipe_bytes
        self._sent = 0
        self._pause = _LEAST_PAUSE_SECONDS

    def sent(self, size: int) -> None:
        """So much was sent."""
        self._sent += size

    def pause(self) -> float:
        """The pipe is full: the seconds until it is looked at again."""
        if self._sent > self._pipe_bytes * 5 // 8:
            self._pause = max(self._pause / 2, _LEAST_PAUSE_SECONDS)
        elif self._sent < self._pipe_bytes * 3 // 8:
            self._pause = min(self._pause * 1.5, _MOST_PAUSE_SECONDS)
        self._sent = 0
        return self._pause


def _enlarged(pipe: int) -> int:
    """Make a pipe as large as one may; its size."""
    for size in _PIPE_BYTES:
        with suppress(OSError):
            return fcntl.fcntl(pipe, fcntl.F_SETPIPE_SZ, size)
    return fcntl.fcntl(pipe, fcntl.F_GETPIPE_SZ)


def behind_loop(path: Path) -> Path:
    """The file behind a loop device, where it can be reached by its name; else `path` itself.

    A loop device has one thread that reads its file, and so one that decompresses it.
    """
    if not path.is_block_device():
        return path
    number = path.stat().st_rdev
    folder = Path(f"/sys/dev/block/{os.major(number)}:{os.minor(number)}")
    backing = read_small(folder / "loop/backing_file")
    offset = read_small(folder / "loop/offset")
    if backing is None or (offset or "").strip() != "0":
        return path
    file = Path(backing.removesuffix("\n"))
    return file if _is_behind(file, path) else path


def _is_behind(file: Path, device: Path) -> bool:
    """Whether a loop device shows this very file, and all of it."""
    try:
        status = file.stat()
        descriptor = os.open(device, os.O_RDONLY | os.O_CLOEXEC)
    except OSError:
        return False
    try:
        # struct loop_info64, linux/loop.h: lo_device, lo_inode, lo_rdevice, lo_offset, lo_sizelimit
        info = bytearray(232)
        fcntl.ioctl(descriptor, 0x4C05, info)
        fields = [int.from_bytes(info[at : at + 8], "little") for at in range(0, 40, 8)]
    except OSError:
        return False
    finally:
        os.close(descriptor)
    return fields[1] == status.st_ino and _decoded(fields[0]) == status.st_dev and not fields[4]


def _decoded(device: int) -> int:
    """A device number as the kernel packs it for user space (huge_encode_dev)."""
    major = (device & 0xFFF00) >> 8
    minor = (device & 0xFF) | ((device >> 12) & 0xFFF00)
    return os.makedev(major, minor)
