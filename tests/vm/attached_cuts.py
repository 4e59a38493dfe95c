"""Power cuts in the middle of a recovery, a growth and a merge of a stick that is attached.

A job runs once on a filled stick that is attached to a booted system, and QEMU logs every write to
it (see `writelog`). A SIGKILL of QEMU at any moment leaves the disk with the first N of these
writes, for some N: so each such disk is made from the log, plugged in, and the next start of the
program has to find the job and go on with it or back. That is the same disk that a kill leaves, at
half a minute each instead of two boots.

After each cut: the overlay is ok (after a merge: fresh), `e2fsck -f -n` finds nothing and every
file that was synced before the overlay had filled has its bytes; or, where the way back is taken,
overlay and image have the bytes that they had before the job. Where the kernel finds the FAT
itself hurt (a file that grew when the power went: its size was written, its clusters were not),
`fsck.vfat -a` comes first, as a person would have to do it, and what it has cut off again is not
asked for; such cuts are counted by themselves.
"""

import json
import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from cut_points import Cut, NotWellError, Point, journal_points
from kernel import PROGRAM, told
from machine import MachineError
from rescue import SECOND, SECOND_IMAGE, Files, examine, filled_second, second_mounted
from stick import Stick
from writelog import Write, replay, writes

OPERATIONS = ("recover", "grow", "merge")
_DEVICE = "/dev/sda"
SECONDS = 400


# As a FAT has them: what a boot looks for, and what a merge exchanges that with.
EXCHANGED = (b"SQUASHFSIMG", b"SQUASHFSALT")


class HurtFatError(NotWellError):
    """The kernel writes no more to the stick: the cut has hurt its FAT."""


class LostImageError(NotWellError):
    """One of the two images of a merge was lost; there is one way from there, and it is told."""


@dataclass(frozen=True, slots=True)
class Recording:
    """A job that was carried out to its end.

    `disk` is the stick before it, `store` the hashes of its overlay and its image, `points` are the
    lines of its journal.
    """

    operation: str
    disk: Path
    log: Path
    writes: tuple[Write, ...]
    points: tuple[Point, ...]
    store: str
    files: Files

    @property
    def merges(self) -> bool:
        """Whether the overlay is empty after it."""
        return self.operation == "merge"


class Campaign:
    """Records jobs on sticks that are attached to `stick`, and cuts them. Files are in `folder`."""

    def __init__(self, stick: Stick, folder: Path) -> None:
        self.stick = stick
        self.folder = folder

    def recordings(self, operations: Sequence[str] = OPERATIONS) -> dict[str, Recording]:
        """A recovery of a filled stick, a growth and a merge of the recovered one."""
        disk, files = filled_second(self.stick, self.folder)
        recovery = self._record("recover", disk, files)
        every = range(len(recovery.writes))
        recovered = self.folder / "recovered.img"
        replay(disk, recovery.log, recovery.writes, every, recovered)
        return {
            name: recovery if name == "recover" else self._record(name, recovered, files)
            for name in operations
        }

    def survive(self, recording: Recording, cut: Cut) -> str:
        """Plug in the stick as the cut has left it, and see to it; what was done, in a word.

        Raises NotWellError.
        """
        image = self.folder / "cut.img"
        replay(recording.disk, recording.log, recording.writes, cut.kept, image, cut.piece)
        self._plug_in(image)
        try:
            return self._see_to(recording, cut)
        except HurtFatError:
            self.stick.run(f"fsck.vfat -a {_DEVICE}; udevadm settle", check=False)
            return f"{self._see_to(recording, cut, ('ok', 'filling'))} after fsck.vfat"
        finally:
            self.stick.detach()
            image.unlink()

    def _record(self, operation: str, disk: Path, files: Files) -> Recording:
        log = self.folder / f"{operation}.log"
        self._plug_in(disk)
        if operation == "merge":
            # So that names which are exchanged lie in two sectors of the FAT file system.
            with second_mounted(self.stick, _DEVICE):
                for number in range(5):
                    self.stick.run(f"touch /run/second/LiveOS/a-name-of-two-parts-{number}")
        store = self._store()
        disk = self.folder / f"before-{operation}.img"
        self.stick.detach(keep=disk)
        self._plug_in(disk, log)
        for event in told(self.stick, f"{operation} {_DEVICE} --yes --json"):
            if event.get("event") == "end" and event["state"] != "done":
                raise MachineError(f"{operation}: {event}")
        self.stick.run("sync")
        every = writes(log)
        self.stick.detach()
        return Recording(operation, disk, log, every, journal_points(log, every), store, files)

    def _plug_in(self, image: Path, log: Path | None = None) -> None:
        self.stick.attach(image, log=log)
        # After a power cut nothing is left in memory.
        self.stick.run("rm -rf --one-file-system /run/liveos-tui/jobs")
        self.stick.wait_until(f"test -b {_DEVICE} && udevadm settle")

    def _see_to(self, recording: Recording, cut: Cut, well: Sequence[str] = ("ok",)) -> str:
        job = self._interrupted()
        if job is None:
            # Before the journal was there, or after its last line: nothing to go on with.
            done = "nothing to do"
            if recording.operation != "grow" and self._store() == recording.store:
                self._tell(recording.operation, _DEVICE, "--yes")
                done = "begun anew"
        else:
            done = self._end(job, back=cut.back and job["can_roll_back"])
        if done.endswith("rolled back"):
            if self._store() != recording.store:
                raise NotWellError("overlay and image have not the bytes that they had")
            return done
        self._expect_well(recording.files, [*well, "fresh"] if recording.merges else well)
        return done

    def _end(self, job: dict[str, Any], *, back: bool) -> str:
        """Go on with a job, or back; and the other way where only that one is left."""
        ways = (("resume", "gone on with"), ("rollback", "rolled back"))
        (word, done), (other, done_instead) = reversed(ways) if back else ways
        rest = job["id"], "--yes", "--target", _DEVICE
        try:
            self._tell("jobs", word, *rest)
        except LostImageError:
            self._tell("jobs", other, *rest)
            return f"an image was lost, {done_instead}"
        return done

    def _interrupted(self) -> dict[str, Any] | None:
        said = self.stick.run(f"{PROGRAM} jobs list --target {_DEVICE} --json", timeout=120)
        for job in json.loads(said.stdout)["jobs"]:
            if job["state"] == "interrupted":
                return dict(job)
        return None

    def _tell(self, *words: str) -> None:
        said = self.stick.run(" ".join([PROGRAM, *words]), check=False, timeout=SECONDS)
        if said.returncode != 0:
            last = "\n".join((said.stdout + said.stderr).splitlines()[-12:])
            hurt = re.search("(written|made).*(Read-only file system|Input/output error)", last)
            lost = "while the images were exchanged" in last
            kind = HurtFatError if hurt else LostImageError if lost else NotWellError
            raise kind(f"{' '.join(words)} ended with {said.returncode}:\n{last}")

    def _store(self) -> str:
        with second_mounted(self.stick, _DEVICE, "-r"):
            return self.stick.run(f"sha256sum {SECOND.store} {SECOND_IMAGE}").stdout

    def _expect_well(self, files: Files, states: Sequence[str]) -> None:
        status = json.loads(
            self.stick.run(f"{PROGRAM} status --json {_DEVICE}", check=False, timeout=120).stdout
        )
        if status["overlay"]["state"] not in states:
            raise NotWellError(f"the overlay is {status['overlay']['state']}")
        left = self.stick.run("dmsetup ls; losetup --list; mount").stdout
        if "liveos-tui" in left:
            raise NotWellError(f"something is left over: {left}")
        with second_mounted(self.stick, _DEVICE):
            found = examine(self.stick, SECOND, files)
        if found.fsck or found.lost:
            raise NotWellError(f"e2fsck -f -n ended with {found.fsck}, lost: {found.lost}")
