"""A practice stick: a folder that is a LiveOS stick, built without root in a few seconds.

Everything in it is real: an ext4 base image in a squashfs, a COW store written through the
user-space device-mapper, a home.img. Only the stick's own file system is missing: the folder
stands for it.
"""

import errno
import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path

from liveos_tui.errors import ExitCode, LiveosError
from liveos_tui.formats.cow import SECTOR_BYTES
from liveos_tui.formats.dmtable import SnapshotStatus
from liveos_tui.formats.text import clean, shell_word
from liveos_tui.live.contents import JOBS_FOLDER
from liveos_tui.live.words import need, size
from liveos_tui.practice import contents
from liveos_tui.practice.devicemapper import UserSpaceDeviceMapper, device_word
from liveos_tui.practice.files import BlockIoError
from liveos_tui.practice.images import change_ext4, make_ext4, make_squashfs
from liveos_tui.system.private_folder import remove_tree
from liveos_tui.system.runner import Runner, SystemRunner
from liveos_tui.system.stick_writing import StickFolder

ROOT_BYTES = 192 << 20
OVERLAY_BYTES = 32 << 20
HOME_BYTES = 16 << 20
MARKER = ".liveos-tui-practice"
README = "README.txt"
OVERLAY_NAME = f"overlay-{contents.LABEL}-{contents.STICK_UUID}"

_MARKER_TEXT = "A practice stick of liveos-tui; `liveos-tui practice` may build it anew.\n"
_ROOT_UUID = "4c495645-4f53-4000-8000-726f6f746673"
_HOME_UUID = "4c495645-4f53-4000-8000-000000686f6d"
_DEVICE = "practice"
_LIVE = "LiveOS"
_WORK_PREFIX = ".liveos-tui-building-"
# Where files may have holes; without (FAT) it is three times that.
_ROOM_BYTES = 128 << 20
_AS_IT_WAS = "Nothing was built; an earlier practice stick there is as it was."
_MORE_ROOM = "Choose a folder on a disk with more room."
_ANOTHER_NAME = "Choose an empty folder, or a name that does not exist yet."


class NotForPracticeError(LiveosError):
    """What was named is something else, and stays it."""

    exit_code = ExitCode.USAGE


class PracticeState(StrEnum):
    """How the overlay of a practice stick is."""

    FRESH = "fresh"
    HEALTHY = "healthy"
    NEARLY_FULL = "nearly-full"
    OVERFLOW = "overflow"
    INVALID = "invalid"


_FILL = {PracticeState.HEALTHY: 0.40}
"""Used part of the overlay that a state ends with, or has before its last writes."""
_FILL_BEFORE_THE_END = 0.88

_STATE_TEXTS = {
    PracticeState.FRESH: "The overlay is fresh: nothing was changed since the stick was made.",
    PracticeState.HEALTHY: "The overlay is in use and has plenty of room.",
    PracticeState.NEARLY_FULL: "The overlay is nearly full. It works, but not for long.",
    PracticeState.OVERFLOW: (
        "The overlay is full. It was used with a table that says PO: the last writes were\n"
        "refused, and the file system on it needs a repair."
    ),
    PracticeState.INVALID: (
        "The overlay is full. It was used with a table that says P: it is marked invalid, the\n"
        "last writes are lost, and the file system on it needs a repair."
    ),
}

_README = """\
A practice stick of liveos-tui
==============================

This folder is like a LiveOS stick: everything that `liveos-tui` can do to a stick, it can do
here, and nothing here is worth keeping. Delete the folder when you are done.

{state_text}

    LiveOS/squashfs.img   the compressed image; in it LiveOS/rootfs.img, the base image (ext4)
    LiveOS/{overlay}
                          the overlay: a COW store of dm-snapshot with all changes to the base
    LiveOS/home.img       the file system for /home (ext4)

Look at it:       liveos-tui {folder}
Build it anew:    liveos-tui practice {folder} --state {state}
States:           {states}
"""


@dataclass(frozen=True, slots=True)
class PracticeStick:
    """A practice stick that was built. `overlay` is the COW store."""

    folder: Path
    state: PracticeState
    overlay: Path


def build(
    folder: Path, state: PracticeState = PracticeState.HEALTHY, runner: Runner | None = None
) -> PracticeStick:
    """Build a practice stick in `folder`, in the place of an earlier one if there is one.

    It gets its name when all of it is made: whatever ends the build before leaves the earlier one,
    or nothing. Raises LiveosError when the folder holds anything else or a job works on the stick
    there (it is left as it is), when a tool is missing, or when there is no room.
    """
    folder = folder.absolute()
    try:
        _check_ours(folder)
        with _kept_free(folder):
            _build(folder, state, runner or SystemRunner())
    except OSError as error:
        room = error.errno in {errno.ENOSPC, errno.EDQUOT}
        raise LiveosError(
            f"The practice stick cannot be built in {clean(str(folder))}: {error.strerror}.",
            f"{_AS_IT_WAS} " + (_MORE_ROOM if room else "Choose a folder that you may write to."),
        ) from error
    return PracticeStick(folder, state, folder / _LIVE / OVERLAY_NAME)


@contextmanager
def _kept_free(folder: Path) -> Iterator[None]:
    """No job begins on an earlier stick meanwhile. Raises StickBusyError where one is at work."""
    with ExitStack() as held:
        if (folder / _LIVE).is_dir():
            held.enter_context(StickFolder(folder)).lock(_LIVE)
        yield


def _build(folder: Path, state: PracticeState, runner: Runner) -> None:
    missing = [each for each in (folder, *folder.parents) if not each.exists()]
    try:
        folder.mkdir(parents=True, exist_ok=True)
        _check_room(folder)
        with tempfile.TemporaryDirectory(dir=folder, prefix=_WORK_PREFIX) as work:
            _build_images(Path(work), state, runner)
            _write_texts(Path(work), folder, state)
            _put_in_place(Path(work), folder)
    except BaseException:
        for each in missing:
            # One with a stick in it is not empty.
            with suppress(OSError):
                each.rmdir()
        raise


def _check_ours(folder: Path) -> None:
    """Raise NotForPracticeError where anything else would have to make way."""
    if not folder.is_dir():
        if os.path.lexists(folder):
            raise NotForPracticeError(
                f"{clean(str(folder))} is no folder: a practice stick is a folder of files.",
                f"It was left as it is. {_ANOTHER_NAME}",
            )
        return
    marker = folder / MARKER
    links = marker.is_symlink() or (folder / _LIVE).is_symlink()
    ours = marker.is_file() and not links
    leftovers = list(folder.glob(f"{_WORK_PREFIX}*"))
    if not ours and set(folder.iterdir()) != set(leftovers):
        raise NotForPracticeError(
            f"{clean(str(folder))} is not empty and no practice stick; nothing was changed.",
            _ANOTHER_NAME,
        )
    for leftover in leftovers:
        # Of a build that was killed.
        shutil.rmtree(leftover, ignore_errors=True)


def _check_room(folder: Path) -> None:
    free = shutil.disk_usage(folder).free
    if free < _ROOM_BYTES:
        raise LiveosError(
            f"There is no room for a practice stick in {clean(str(folder))}: building it "
            f"takes {need(_ROOM_BYTES)}, and {size(free)} are free there.",
            f"{_AS_IT_WAS} {_MORE_ROOM}",
        )


def _write_texts(work: Path, folder: Path, state: PracticeState) -> None:
    readme = _README.format(
        state=state,
        state_text=_STATE_TEXTS[state],
        folder=shell_word(str(folder)),
        overlay=OVERLAY_NAME,
        states=", ".join(PracticeState),
    )
    (work / README).write_text(readme, encoding="utf-8")
    (work / MARKER).write_text(_MARKER_TEXT, encoding="utf-8")


def _put_in_place(work: Path, folder: Path) -> None:
    """Give all that was made its name, and take away what was there."""
    new, live, earlier = work / "new", folder / _LIVE, work / "earlier"
    new.mkdir()
    for name in ("squashfs.img", OVERLAY_NAME, "home.img"):
        (work / name).rename(new / name)
    # A folder with this mark may be built anew, whatever else is in it.
    (work / MARKER).replace(folder / MARKER)
    try:
        if live.exists():
            live.rename(earlier)
        new.rename(live)
    except BaseException:
        if earlier.exists() and not live.exists():
            earlier.rename(live)
        raise
    (work / README).replace(folder / README)
    # What jobs have left was about the stick that was here before.
    remove_tree(folder / JOBS_FOLDER)


def _build_images(work: Path, state: PracticeState, runner: Runner) -> None:
    staging = work / "staging"
    staging.mkdir()

    base = work / "image" / "LiveOS" / "rootfs.img"
    base.parent.mkdir(parents=True)
    make_ext4(runner, base, ROOT_BYTES, label="_LiveOS_rootfs", uuid=_ROOT_UUID)
    change_ext4(runner, base, contents.base(), staging)
    make_squashfs(runner, work / "image", work / "squashfs.img")

    home = work / "home.img"
    make_ext4(runner, home, HOME_BYTES, label="home", uuid=_HOME_UUID, block_bytes=1024)
    change_ext4(runner, home, contents.home(), staging, day=1)

    overlay = work / OVERLAY_NAME
    with overlay.open("xb") as file:
        # A stick's file system has no holes: neither has this file.
        os.posix_fallocate(file.fileno(), 0, OVERLAY_BYTES)
    if state is not PracticeState.FRESH:
        _Session(runner, base, overlay, work, state).run()


class _Session:
    """The use of a stick: changes to a file system, written through the device-mapper."""

    def __init__(
        self, runner: Runner, base: Path, overlay: Path, work: Path, state: PracticeState
    ) -> None:
        self._runner = runner
        self._base = base
        self._overlay = overlay
        self._view = work / "view"
        self._staging = work / "staging"
        self._state = state
        self._day = 1

    def run(self) -> None:
        kind = "P" if self._state is PracticeState.INVALID else "PO"
        base, store = device_word(self._base), device_word(self._overlay)
        table = f"0 {ROOT_BYTES // SECTOR_BYTES} snapshot {base} {store} {kind} 8"
        with UserSpaceDeviceMapper() as mapper:
            mapper.create(_DEVICE, table)
            mapper.materialise(_DEVICE, self._view)
            self._write(mapper, *contents.first_boot())
            self._write(mapper, *contents.update())
            room = self._room(mapper, _FILL.get(self._state, _FILL_BEFORE_THE_END))
            self._write(mapper, *contents.downloads("updates", room))
            if self._state in {PracticeState.OVERFLOW, PracticeState.INVALID}:
                self._fill_up(mapper)
            mapper.suspend(_DEVICE)
        self._view.unlink()

    def _write(self, mapper: UserSpaceDeviceMapper, *changes: contents.Change) -> None:
        """One day's changes: made in the view, then written to the store chunk by chunk."""
        change_ext4(self._runner, self._view, changes, self._staging, day=self._day)
        self._day += 1
        mapper.write_back(_DEVICE, self._view)

    def _room(self, mapper: UserSpaceDeviceMapper, fraction: float) -> int:
        """Bytes that can be written until the store is filled to `fraction`."""
        (device,) = mapper.status()
        match device.lines[0].status:
            case SnapshotStatus(allocated, total, _):
                return max(0, int(total * fraction) - allocated) * SECTOR_BYTES
            case status:
                raise LiveosError(f"The practice overlay became {status} too early.")

    def _fill_up(self, mapper: UserSpaceDeviceMapper) -> None:
        try:
            self._write(mapper, *contents.last_writes(self._room(mapper, 1.0)))
        except BlockIoError:
            return
        raise LiveosError("The practice overlay did not become full.")
