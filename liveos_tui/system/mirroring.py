"""Copying a view to a file with a mirror: followed, and given up by name when it fails."""

import os
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from liveos_tui.errors import CancelledError, LiveosError
from liveos_tui.formats.cow import SECTOR_BYTES
from liveos_tui.formats.mirror_status import (
    STALL_SECONDS,
    FailedLeg,
    Leg,
    MirrorFeed,
    MirrorProgress,
    MirrorWatch,
    region_sectors,
)
from liveos_tui.formats.text import clean
from liveos_tui.system.holes import HoleDigger
from liveos_tui.system.streaming import never
from liveos_tui.system.views import Joiner, Mirror, View

POLL_SECONDS = 0.25

# Less than this is left for nobody.
_FULL_BYTES = 1 << 20
_NEW = os.O_RDWR | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC


class MirrorError(LiveosError):
    """A mirror that does not come to its end. `leg` is the one that failed, None for a stall."""

    def __init__(self, message: str, hint: str, leg: Leg | None = None) -> None:
        super().__init__(message, hint)
        self.leg = leg


@dataclass(frozen=True, slots=True)
class MirrorCopy:
    """A copy of a view that is on the medium: its size, and what it takes there."""

    path: Path
    size_bytes: int
    allocated_bytes: int


def mirror_to_file(
    joiner: Joiner,
    view: View,
    target: Path,
    name: str,
    *,
    told: Callable[[MirrorProgress], None],
    cancelled: Callable[[], bool] = never,
) -> MirrorCopy:
    """Copy all of `view` to the file `target`, which only this user can read.

    A file of that name, which an earlier run has left, is made anew. `told` gets what the mirror
    says, some four times a second. Zeros take no room, where the file system can have holes. The
    copy is on the medium when this returns; after an error there is none, and no device is left.
    Raises MirrorError, CancelledError, LiveosError.
    """
    with _new_file(target, view.size_bytes) as descriptor:
        digger = HoleDigger(descriptor)
        sectors = region_sectors(view.size_bytes // SECTOR_BYTES)
        failed: MirrorError | None = None
        try:
            with joiner.mirror(view, target, name, sectors) as mirror:
                try:
                    _follow(mirror, digger, sectors * SECTOR_BYTES, target, told, cancelled)
                except MirrorError as error:
                    failed = error
                    raise
        except LiveosError as error:
            if failed is None or error is failed:
                raise
            # A device that does not answer cannot be taken down either: that is not the reason.
            hint = f"{failed.hint} The mirror could not be taken down: {error.message}"
            raise MirrorError(failed.message, hint, failed.leg) from error
        # Only now nothing writes to it any more, and what it says of its writes counts.
        while digger.dig(view.size_bytes):
            _stop_if(cancelled)
        os.fsync(descriptor)
        status = os.fstat(descriptor)
    return MirrorCopy(target, status.st_size, status.st_blocks * 512)


def remove_copy(target: Path) -> bool:
    """Remove a copy, or what an interrupted run has left of one; whether there was any.

    A folder of that name is not touched. Raises LiveosError.
    """
    try:
        target.unlink()
    except FileNotFoundError:
        return False
    except OSError as error:
        raise LiveosError(
            f"The copy {clean(str(target))} cannot be removed: {error.strerror}.",
            "It is not needed any more: remove it by hand.",
        ) from error
    return True


def _follow(
    mirror: Mirror,
    digger: HoleDigger,
    region_bytes: int,
    target: Path,
    told: Callable[[MirrorProgress], None],
    cancelled: Callable[[], bool],
) -> None:
    """Wait until the mirror is complete."""
    feed, watch = MirrorFeed(), MirrorWatch(time.monotonic())
    while True:
        _stop_if(cancelled)
        data = mirror.wait(POLL_SECONDS)
        now = time.monotonic()
        copied = digger.at
        for status in feed.feed(data):
            progress = watch.saw(status, now)
            told(progress)
            if progress.failed:
                raise _failed(progress.failed, target)
            if progress.complete:
                return
            copied = status.in_sync_regions * region_bytes
        if watch.is_stalled(now):
            raise MirrorError(
                f"The mirror has copied nothing for {STALL_SECONDS:.0f} seconds.",
                f"Nothing was written to the stick. It, or the disk of "
                f"{clean(str(target.parent))}, does not answer: look at the kernel log (dmesg).",
            )
        # Regions are copied one after the other, so the first ones are written no more. What
        # becomes a hole while it is in the cache is never written to the disk.
        while digger.at < copied and time.monotonic() < now + POLL_SECONDS:
            digger.dig(copied)


def _failed(failed: FailedLeg, target: Path) -> MirrorError:
    if failed.leg is Leg.SOURCE:
        hint = (
            "Nothing was written to the stick, which may be failing: copy it before anything else."
        )
        return MirrorError(failed.sentence, hint, failed.leg)
    folder = target.parent
    usage = os.statvfs(folder)
    if usage.f_bavail * usage.f_frsize < _FULL_BYTES:
        message = f"{failed.sentence} {clean(str(folder))} is full."
        hint = "Make room there, or name another folder for the work."
    else:
        message, hint = (
            failed.sentence,
            "Its disk may be failing: name another folder for the work.",
        )
    return MirrorError(message, f"Nothing was written to the stick. {hint}", failed.leg)


@contextmanager
def _new_file(path: Path, size_bytes: int) -> Iterator[int]:
    """A new sparse file; removed when the block does not end well."""
    remove_copy(path)
    try:
        descriptor = os.open(path, _NEW, 0o600)
    except OSError as error:
        raise _not_written(path, error) from error
    try:
        os.ftruncate(descriptor, size_bytes)
        yield descriptor
    except OSError as error:
        path.unlink(missing_ok=True)
        raise _not_written(path, error) from error
    except BaseException:
        path.unlink(missing_ok=True)
        raise
    finally:
        os.close(descriptor)


def _not_written(path: Path, error: OSError) -> LiveosError:
    return LiveosError(
        f"The copy {clean(str(path))} cannot be written: {error.strerror}.",
        "Nothing was written to the stick. Make room there, or name another folder for the work.",
    )


def _stop_if(cancelled: Callable[[], bool]) -> None:
    if cancelled():
        raise CancelledError("The mirror was cancelled.")
