"""The first step of every job: the stick's lock, and whether this is the stick of the plan."""

import time
from pathlib import Path

from liveos_tui.errors import LiveosError, TargetGoneError
from liveos_tui.formats.text import clean
from liveos_tui.jobs.journal import Journal, journals
from liveos_tui.jobs.order import OrderKind
from liveos_tui.jobs.unfinished import check_unfinished
from liveos_tui.jobs.work import Work
from liveos_tui.live.in_use import is_loop_of
from liveos_tui.live.place import Place
from liveos_tui.plans.actions import OpenStick
from liveos_tui.system.identity import boot_id, disk_identity
from liveos_tui.system.loops import Loop
from liveos_tui.system.probes import Probes
from liveos_tui.system.stick_mount import mounted_stick
from liveos_tui.system.stick_writing import StickFolder
from liveos_tui.system.writable_file import READ_ONLY_HINT

_HEADER_BYTES = 16


class OtherStickError(LiveosError):
    """What is there is not what the plan was made for."""


def open_stick(work: Work, action: OpenStick) -> str:
    """Take lock and journal; what was locked, in a sentence. Raises LiveosError."""
    place, probes = work.place, work.workplace.probes
    check_device(probes, place)
    folder = _folder(work, writable=action.writable)
    stick = work.held.enter_context(StickFolder(folder))
    stick.lock(place.live_folder)
    work.use_stick(stick)
    if action.writable and not stick.writable:
        raise LiveosError(
            f"The file system of {place.name} is read-only.",
            f"Nothing was changed. {READ_ONLY_HINT}",
        )
    for name in (work.order.job_id, work.compared_name):
        for leftover in work.workplace.joiner.clean_up(name):
            work.found(f"A leftover of this job was taken down: {clean(leftover)}.")
    _check_overlay(work)
    if work.order.kind is not OrderKind.START:
        go_on_with_journal(work)
    elif action.writable:
        check_unfinished(journals(stick))
    return f"{place.name} is locked for this job; it is the stick that was looked at."


def _folder(work: Work, *, writable: bool) -> Path:
    place = work.place
    if place.number is None or place.device is None:
        if place.mount_point is None:
            raise OtherStickError(f"Where {place.name} lies is not known.", "Nothing was changed.")
        return work.workplace.probes.path(place.mount_point)
    return work.held.enter_context(
        mounted_stick(
            work.workplace.probes,
            place.number,
            place.device,
            writable=writable,
            # A power cut may have left the FAT half written: a write to such a file is refused.
            check=work.order.kind is not OrderKind.START,
            name=work.order.job_id,
        )
    )


def check_device(probes: Probes, place: Place) -> None:
    """Raise TargetGoneError or OtherStickError unless the device is the one of the plan.

    Numbers of devices are given anew when sticks are plugged in: what counts is the disk's sequence
    number within one boot, and what is written on the stick at any time.
    """
    if place.number is None:
        return
    if not probes.device_exists(place.number):
        raise TargetGoneError(
            f"{place.name} is gone: pulled out, or unplugged.",
            "Plug it in again. The job can go on then, or be undone.",
        )
    now = disk_identity(probes, place.number)
    for name, planned, found in (
        ("UUID", place.uuid, now.device.uuid if now.device else None),
        ("file system", place.filesystem, now.device.filesystem if now.device else None),
        ("serial number", place.serial, now.serial),
    ):
        if planned is not None and found is not None and planned != found:
            raise OtherStickError(
                f"{place.device} is another stick: its {name} is {clean(found)}, not {planned}.",
                "Nothing was changed. Name the stick anew.",
            )
    same_boot = place.boot_id == boot_id(probes)
    if same_boot and place.diskseq and now.diskseq and place.diskseq != now.diskseq:
        raise OtherStickError(
            f"{place.name} was pulled out and plugged in again, or it is another stick.",
            "Nothing was changed. Look at it again and start anew.",
        )


def _check_overlay(work: Work) -> None:
    """The overlay is the one that was looked at, and nobody else uses it."""
    place, stick = work.place, work.stick
    # Held open for the whole job: some file systems number a file anew when nobody has it open.
    file = work.held.enter_context(stick.open(place.overlay))
    work.overlay_number = file.identity.device, file.identity.inode
    header, size = file.read(0, _HEADER_BYTES).hex(), file.identity.size_bytes
    # A job that goes on has changed both itself.
    starts = work.order.kind is OrderKind.START
    if starts and (header, size) != (place.store_header, place.overlay_bytes):
        raise OtherStickError(
            "The overlay has changed since it was looked at.",
            "Nothing was changed. Look at it again and start anew.",
        )
    in_use = loop_of_overlay(work) is not None
    if in_use and not work.plan.works_in_use:
        raise LiveosError(
            "The overlay is in use: a loop device has its file open.",
            "Nothing was changed. Let go of it first (`losetup --list` shows which); the running "
            "system's own overlay can only be worked on after a boot without it.",
        )


def check_same(work: Work) -> None:
    """Raise LiveosError unless stick and overlay are still those that were opened."""
    check_device(work.workplace.probes, work.place)
    with work.stick.open(work.place.overlay) as file:
        number = file.identity.device, file.identity.inode
    if number != work.overlay_number:
        raise OtherStickError(
            "The overlay's file is another one than before: it was exchanged while the job ran.",
            "It was left as it is. Put the file back that this job has worked on, or begin anew.",
        )


def loop_of_overlay(work: Work) -> Loop | None:
    """The loop device that has the overlay's file open."""
    place, stick = work.place, work.stick
    mount_point = place.mount_point or str(stick.path)
    for loop in work.workplace.probes.loops():
        if is_loop_of(
            loop, stick, mount_point, place.number, place.overlay, booted=place.this_system
        ):
            return loop
    return None


def begin_journal(work: Work) -> None:
    """Begin the journal of a job, right before its first step that writes. Raises LiveosError.

    What only looks leaves nothing on the stick, not even a journal.
    """
    order = work.order
    started = time.time() if order.started is None else order.started
    begun = Journal.begin(work.stick, order.job_id, order.plan, started, _apart(work))
    work.journal = work.held.enter_context(begun)
    work.journal.order(order.kind)


def go_on_with_journal(work: Work) -> None:
    """Open the journal of a job that has one. Raises LiveosError."""
    order = work.order
    found = Journal.go_on(work.stick, order.job_id, _apart(work))
    work.journal = work.held.enter_context(found)
    work.journal.order(order.kind)


def _apart(work: Work) -> StickFolder | None:
    """The other disk, where the plan has one: it has the journal as well."""
    return work.apart(work.plan.apart) if work.plan.apart is not None else None
