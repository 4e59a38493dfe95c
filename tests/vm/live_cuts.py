"""Power cuts in the middle of a merge of the running system.

A stick is booted, a program in it writes and syncs all the time (`numbered`), the system is merged,
and QEMU logs every write to the stick. What a power cut leaves is made from the log, as for sticks
that are attached (`attached_cuts`). What the program had told before the cut has to be there.

Every cut can be looked at (`laboratory`). Some are booted (`boot`): the job that is found then goes
on, or back, or is left, as the program has it, and after a boot without the overlay e2fsck -f -n
has to find nothing.
"""

import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numbered
from cut_points import (
    Cut,
    NotWellError,
    Point,
    around_exchanges,
    around_points,
    at_random,
    journal_points,
)
from kernel import PROGRAM, snapshot_sectors, told
from machine import wait_for
from numbered import Line, NumberedWriter
from rescue import OWN, examine, joined
from stick import LIVE, NO_OVERLAY, PERSISTENT, Stick
from writelog import Write, before, replay, writes

_ROOM, _MUCH_ROOM = "160M", "256M"

WORKS = 900
OLD_MIB = 20
"""What is in the overlay before the merge, and must not be in it afterwards."""

# As the FAT has them: what a boot looks for.
_NAMES = (b"SQUASHFSIMG", b"OVERLA~1   ")
_KEPT_BY_CHOICE = "The system was booted since the images were exchanged"


@dataclass(frozen=True, slots=True)
class LiveRecording:
    """A merge of a running system that was carried out to its end.

    `disk` is the stick before, `lines` what the writer has told, `points` the journal's lines. It
    began after `first` writes.
    """

    disk: Path
    log: Path
    writes: tuple[Write, ...]
    points: tuple[Point, ...]
    lines: tuple[Line, ...]
    first: int

    def told_by(self, cut: Cut) -> tuple[Sequence[Sequence[str]], Sequence[Sequence[str]]]:
        """What had been told by the moment of a cut, and what came later."""
        return numbered.split(self.lines, self.writes[cut.count - 1].end)

    def around_points(self) -> Iterator[Cut]:
        """The cuts around every line of its journal."""
        return around_points(self.writes, self.points)

    def around_exchanges(self) -> Iterator[Cut]:
        """The cuts around every exchange of images or overlays."""
        return around_exchanges(self.log, self.writes, _NAMES)

    def at_random(self, number: int) -> Iterator[Cut]:
        """Random cuts while it was under way."""
        return at_random(self.writes, number, first=self.first)


@dataclass(frozen=True, slots=True)
class LiveMerge:
    """A booted stick whose system was merged while a program wrote, and what was written.

    `before_sectors` are those of the overlay's that were used right before the switch.
    """

    stick: Stick
    recording: LiveRecording
    before_sectors: int

    @classmethod
    def of(
        cls, stick: Stick, log: Path, *, crowded: bool = False, heavy: bool = False
    ) -> "LiveMerge":
        """Merge the running system, as a person orders it; ssh is dropped in the middle.

        The stick was started with this log. `crowded`: its folder has so many names that those
        which are exchanged lie in two sectors of the FAT file system. `heavy`: the program replaces
        its files as fast as it can. Raises MachineError unless it ends well.
        """
        stick.install()
        if crowded:
            # Three entries of 32 bytes each: then the first sector is full.
            for number in range(3):
                stick.run(f"touch {LIVE}/LiveOS/a-name-of-two-parts-{number}; sync")
        # So that the writer does not fill the overlay: an emulated machine merges slowly.
        stick.run(f"{PROGRAM} grow --to {_MUCH_ROOM if heavy else _ROOM} --yes", timeout=WORKS)
        stick.run(f"dd if=/dev/urandom of=/srv/old bs=1M count={OLD_MIB} conv=fsync")
        pause, per_file = (0.0, 1) if heavy else (0.1, 3)
        with NumberedWriter(stick, pause=pause, per_file=per_file, log=log) as writer:
            began = log.stat().st_size
            used = _merge(stick)
            writer.wait_for_more()
            writer.stop()
        stick.run("sync")
        every = writes(log)
        first = before(every, began)
        # The growth before it has a journal, too.
        points = tuple(point for point in journal_points(log, every) if point.write >= first)
        lines = tuple(writer.lines)
        return cls(stick, LiveRecording(stick.before, log, every, points, lines, first), used)


def _merge(stick: Stick) -> int:
    """Merge, and see that it is done; sectors used in the overlay when they were last seen."""
    merge = told(stick, "merge --yes --json")
    for event in merge:
        if event.get("step") == 3:
            break
    # Which ends ssh.
    merge.close()
    used = 0

    def ended() -> dict[str, Any] | None:
        nonlocal used
        for line in stick.run("dmsetup status").stdout.splitlines():
            if "-real: " in line:
                used = snapshot_sectors(line.partition(": ")[2])[0]
        job = newest(stick)
        return None if job is None or job["state"] in {"running", "waiting"} else job

    job = wait_for(ended, "the merge to end by itself", WORKS, 5.0)
    if job["state"] != "done":
        raise stick.problem(f"the merge has ended so: {job}")
    return used


def boot(folder: Path, recording: LiveRecording, cut: Cut) -> str:
    """Boot the stick as a cut has left it, and see to it; what was done. Raises NotWellError."""
    folder.mkdir()
    told = recording.told_by(cut)
    with_disk = Stick(folder, PERSISTENT)
    replay(recording.disk, recording.log, recording.writes, cut.kept, with_disk.disk, cut.piece)
    with with_disk as stick:
        expect_none(numbered.lost(stick, *told))
        stick.install()
        done = _see_to(stick, cut)
        tables = stick.run("dmsetup table").stdout
        if tables.count("\n") != 2 or "PO 8" not in tables:
            raise NotWellError(f"there is more than one overlay:\n{tables}")
        expect_none(numbered.lost(stick, *told))
        stick.reboot(NO_OVERLAY)
        found = examine(stick, OWN, {})
        if found.fsck:
            raise NotWellError(f"e2fsck -f -n ended with {found.fsck}")
        with joined(stick, OWN) as device:
            stick.run(f"mount -o ro,noload {device} /run/by-hand")
            missing = numbered.lost(stick, *told, root="/run/by-hand")
            stick.run("umount /run/by-hand")
        expect_none(missing)
    return done


def _see_to(stick: Stick, cut: Cut) -> str:
    job = newest(stick)
    if job is None or job["state"] == "done":
        return "nothing to do"
    if cut.back and job["can_roll_back"]:
        said = _tell(stick, "rollback", job["id"], "--yes")
        if said is None:
            return "rolled back"
    else:
        said = _tell(stick, "resume", job["id"], "--yes")
        if said is None:
            return "gone on with"
    # It says what it has left, and how one goes on.
    if _KEPT_BY_CHOICE not in said and "uses the new image" not in said:
        raise NotWellError(said)
    for word in ("leave", "forget"):
        said = _tell(stick, word, job["id"], "--yes")
        if said is not None:
            raise NotWellError(said)
    return "the new image kept"


def newest(stick: Stick) -> dict[str, Any] | None:
    """The newest merge of the booted system."""
    listed = json.loads(stick.run(f"{PROGRAM} jobs list --target live --json", timeout=120).stdout)[
        "jobs"
    ]
    return next((job for job in listed if job["id"].startswith("merge")), None)


def _tell(stick: Stick, *words: str) -> str | None:
    said = stick.run(" ".join([PROGRAM, "jobs", *words]), check=False, timeout=WORKS)
    if said.returncode == 0:
        return None
    last = (said.stdout + said.stderr).splitlines()[-12:]
    return f"{' '.join(words)} ended with {said.returncode}:\n" + "\n".join(last)


def expect_none(lost: Sequence[str]) -> None:
    """Raise NotWellError where anything is lost."""
    if lost:
        raise NotWellError(f"lost: {lost}")
