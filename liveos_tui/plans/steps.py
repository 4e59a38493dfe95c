"""The steps that plans are made of, each with its words.

Commands are the programs that the job tells when it starts them; they name what comes later in
capitals. What the console does itself is told in words. `Words` knows what is the same in all
steps of a plan.
"""

from dataclasses import dataclass

from liveos_tui.formats.text import clean, shell_word
from liveos_tui.live.contents import JOBS_FOLDER
from liveos_tui.live.diagnosis import Diagnosis
from liveos_tui.live.words import size
from liveos_tui.plans.actions import (
    BackUp,
    FillHoles,
    GrowFile,
    OpenStick,
    RefreshLoop,
    Register,
    Rehearse,
    Repair,
    ResetStore,
    SetValid,
    TakeDown,
    Verify,
)
from liveos_tui.plans.joined import PATH_LIMIT, Joined
from liveos_tui.plans.model import Cancel, Step
from liveos_tui.plans.refused import UNCHANGED, PlanRefusedError

JOB_FOLDER = f"{JOBS_FOLDER}/JOB"
"""Where a job keeps its files on the stick, below the stick's top."""


def of_job(text: str, job_id: str) -> str:
    """`text` of a plan, with the folder of the job that carries it out."""
    return text.replace(JOB_FOLDER, f"{JOBS_FOLDER}/{job_id}")


_E2FSCK = "e2fsck (e2fsprogs)"


@dataclass(frozen=True, slots=True)
class Words:
    """Steps for one diagnosis.

    `device_mapper`: the kernel joins base and overlay; otherwise the console does it in user space,
    with no commands to show for it.
    """

    diagnosis: Diagnosis
    device_mapper: bool = True

    @property
    def joined(self) -> Joined:
        """The commands that join base and overlay."""
        return Joined(self.diagnosis, self.device_mapper)

    @property
    def overlay(self) -> str:
        """The overlay as it is told to people: its path on the stick."""
        return clean(self.diagnosis.place.overlay, PATH_LIMIT)

    def open_stick(self, *, writable: bool = True) -> Step:
        """Lock, and see that it is the same stick.

        Raises PlanRefusedError where nothing can be written, and that is not for a job to change.
        """
        if writable:
            self._check_mount()
        place, remount = self.diagnosis.place, self._remount(writable=writable)
        commands: tuple[tuple[str, ...], ...] = ()
        why = (
            "A lock keeps a second console off the stick. Device, file system, size and the "
            "overlay's header are compared with what was planned for: nothing is done to a stick "
            "that was exchanged."
        )
        writes: tuple[str, ...] = ()
        undo = "The lock is let go."
        device = clean(place.device or "DEVICE", PATH_LIMIT)
        if remount:
            folder = clean(place.mount_point or "", PATH_LIMIT)
            commands = (("mount", "-o", "remount,rw", folder),)
            why += " It is mounted read-only and is made writable for the time of the job."
            writes = ("the stick's file system: mounted writable",)
            undo = "The lock is let go, and the stick is mounted read-only again."
        elif place.mount_point is None:
            mode = "rw" if writable else "ro"
            commands = (("mount", "-o", f"{mode},nosuid,nodev,noexec", device, "STICK"),)
            why += " It is mounted in a private folder for the time of the job."
            if writable:
                writes = ("the stick's file system: mounted writable",)
            undo = "The lock is let go, and the stick is unmounted."
        return Step(
            OpenStick(writable, remount),
            "Lock, check again",
            why,
            commands,
            needs=("no other console works on the stick",),
            writes=writes,
            undo=undo,
        )

    def rehearse(self, *, read_all: bool = False) -> Step:
        """The repair on a throw-away layer."""
        why = (
            "e2fsck runs on a throw-away layer in memory, over the overlay as it would be after "
            "its recovery. It tells what would be repaired and which files come back. Nothing is "
            "written to the stick."
        )
        if read_all:
            why = (
                "Every chunk of the overlay is read, since an I/O error may have damaged it. Then "
                "e2fsck runs on a throw-away layer in memory and tells what would come back. "
                "Nothing is written to the stick."
            )
        return Step(
            Rehearse(read_all),
            "Rehearse the repair",
            why,
            (
                *self.joined.base(),
                *self.joined.view(read_only=True, header=True),
                *self.joined.throw_away("REHEARSAL"),
                ("e2fsck", "-E", "journal_only", "-y", "REHEARSAL"),
                ("e2fsck", "-f", "-y", "REHEARSAL"),
                ("e2fsck", "-f", "-n", "REHEARSAL"),
            ),
            needs=(_E2FSCK, "room in /run for what e2fsck changes"),
        )

    def back_up(self, copies: tuple[str, ...] = ()) -> Step:
        """Header and metadata areas, saved."""
        summary = self.diagnosis.summary
        length = size(summary.metadata_bytes) if summary else "unknown size"
        elsewhere = tuple(f"{clean(path, PATH_LIMIT)}: a copy of it" for path in copies)
        return Step(
            BackUp(copies),
            "Back up the header",
            "The overlay's header and its list of exceptions are saved to a file beside the "
            "journal. With them, and the old size, the overlay is what it was.",
            writes=(f"{JOB_FOLDER}/metadata.cow: {length}", *elsewhere),
            undo="Nothing of the overlay was changed; the backup stays.",
        )

    def grow_file(self, to_bytes: int) -> Step:
        """The file made larger."""
        now = self.diagnosis.file_bytes
        in_use = self.diagnosis.in_use
        why = f"The overlay's file becomes {size(to_bytes)}, {size(to_bytes - now)} more. " + (
            "The system goes on meanwhile: nothing that is in the file is touched. "
            if in_use
            else "Nothing that is in it is touched. "
        )
        why += "Every byte of the new part is written, so it takes a while on a slow stick."
        return Step(
            GrowFile(now, to_bytes),
            "Grow the file",
            why,
            needs=(f"{size(to_bytes - now)} of room on the stick",),
            writes=(f"{self.overlay}: {size(to_bytes - now)} of zeros at its end",),
            undo=(
                "Before the kernel knows of it, the file is cut to its old size; later it stays "
                "as large, which does no harm."
                if in_use
                else "The file is cut to its old size."
            ),
        )

    def fill_holes(self) -> Step:
        """A sparse file made whole."""
        missing = self.diagnosis.missing_bytes
        return Step(
            FillHoles(missing),
            "Fill in the holes",
            f"The stick provides the {size(missing)} that the file's holes stand for, so that no "
            "later write can fail for want of room. No byte of the file becomes another one.",
            needs=(f"{size(missing)} of room on the stick",),
            writes=(f"{self.overlay}: {size(missing)} of zeros where it has holes",),
            undo="Not undone: the file's bytes are the same.",
        )

    def refresh_loop(self, loop: str, device: str, to_bytes: int) -> Step:
        """The kernel told of the new size."""
        node = f"/dev/loop{clean(loop.rpartition(':')[2])}"
        return Step(
            RefreshLoop(loop, device, to_bytes),
            "Tell the kernel",
            "The kernel's loop device takes over the file's new size. The overlay uses it from the "
            "next write on; its status shows it at once.",
            (("losetup", "--set-capacity", node),),
            needs=("root", "losetup (util-linux), dmsetup"),
            undo="It stays: the kernel may use the new part already.",
            cancel=Cancel.SAFE_POINT,
        )

    def set_valid(self) -> Step:
        """The valid byte."""
        return Step(
            SetValid(),
            "Mark it valid",
            "The valid byte of the header is set to 1, after the header has been read again and "
            "says magic, version 1 and valid 0. The base image was never written to, so only "
            "writes are lost that had already failed.",
            writes=(f"{self.overlay}: byte 4, 0 becomes 1",),
            undo="The header is put back from the backup.",
            cancel=Cancel.SAFE_POINT,
        )

    def register(self) -> Step:
        """Base and overlay joined."""
        return Step(
            Register(),
            "Register it",
            "Base image and overlay are joined to one device again, with a table that says PO: "
            "were it to fill up, it would overflow and not become Invalid.",
            # The base is joined since the rehearsal.
            self.joined.view(read_only=False),
            undo="The device is removed.",
            cancel=Cancel.SAFE_POINT,
        )

    def repair(self) -> Step:
        """e2fsck, saved, written."""
        return Step(
            Repair(),
            "Repair",
            "e2fsck repairs the file system on a throw-away layer until it finds nothing more. "
            "What its changes replace is saved to a file on the stick; only then are they written "
            "to the overlay. An e2fsck that is killed has changed nothing.",
            (
                *self.joined.throw_away("TRIAL"),
                ("e2fsck", "-f", "-y", "TRIAL"),
                ("e2fsck", "-f", "-n", "TRIAL"),
            ),
            needs=(_E2FSCK, "room in /run for what e2fsck changes"),
            writes=(
                f"{JOB_FOLDER}/repair.cow: what the changes replace",
                f"{self.overlay}: the changes",
            ),
            undo="The saved chunks are written back, byte for byte.",
            cancel=Cancel.SAFE_POINT,
        )

    def verify(self) -> Step:
        """The proof."""
        return Step(
            Verify(),
            "Verify",
            "e2fsck looks once more, changes nothing and has to find nothing; a file system that "
            "only says that it is clean is no proof. The root folder and /etc/os-release are read.",
            (("e2fsck", "-f", "-n", "VIEW"),),
            needs=(_E2FSCK,),
        )

    def take_down(self) -> Step:
        """Let go."""
        return Step(
            TakeDown(),
            "Take it down",
            "The device is removed and the files are let go, so that the stick can be unplugged "
            "or booted.",
            cancel=Cancel.SAFE_POINT,
        )

    def reset(self) -> Step:
        """The first sector zeroed."""
        return Step(
            ResetStore(),
            "Reset the overlay",
            "The first 512 bytes of the overlay become zeros. The kernel takes it for a fresh one "
            "at the next boot, and the stick is as it was made.",
            writes=(f"{self.overlay}: the first 512 bytes become zeros",),
            undo="The header is put back from the backup: only until the overlay is next used.",
            cancel=Cancel.SAFE_POINT,
        )

    def _check_mount(self) -> None:
        if self.diagnosis.read_only_mount is None:
            return
        mount = clean(self.diagnosis.read_only_mount, PATH_LIMIT)
        raise PlanRefusedError(
            f"{self.diagnosis.place.name} is a folder on {mount}, which is mounted read-only.",
            f"Have that mounted writable (as root: `mount -o remount,rw {shell_word(mount)}`), or "
            f"copy the folder to another disk and name the copy. {UNCHANGED}",
        )

    def _remount(self, *, writable: bool) -> bool:
        seen = self.diagnosis.place.mount_point is not None
        return writable and seen and self.diagnosis.stick_writable is False
