"""Power cuts in the middle of a recovery, a growth and a merge, and what comes after them.

    tests/vm/run cuts [MOMENTS] [KILLS]      or: make vm-cuts

A job runs once on a filled stick that is attached to a booted system, and QEMU logs every write to
it (see `writelog`). A SIGKILL of QEMU at any moment leaves the disk with the first N of these
writes, for some N: so each such disk is made from the log, plugged in, and the next start of the
program has to find the job and go on with it or back. That is the same disk that a kill leaves, at
half a minute each instead of two boots. Cut at

- before and after every step: a step is between two lines of the journal, each followed by a
  flush, so at the moments when the job tells of a step, and at the flush that follows;
- MOMENTS random writes (20);
- MOMENTS random moments of a stick with a cache of its own that loses half of what was not flushed.

Then KILLS (2) real ones, at a step each: QEMU gets SIGKILL while the stick recovers its own
overlay, is booted again without it, goes on, and is booted with it.

After each cut: the overlay is ok (after a merge: fresh), `e2fsck -f -n` finds nothing and every
file that was synced before the overlay had filled has its bytes; or, where the way back is taken,
overlay and image have the bytes that they had before the job. Where the kernel finds the FAT
itself hurt (a file that grew when the power went: its size was written, its clusters were not),
`fsck.vfat -a` comes first, as a person would have to do it, and what it has cut off again is not
asked for; such cuts are counted by themselves. Ends with 1 when one of them is not so.
"""

import json
import random
import re
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from machine import CHECKOUT, MachineError
from rescue import (
    OWN,
    SECOND,
    SECOND_IMAGE,
    Files,
    examine,
    fill_unused,
    filled_second,
    lost,
    second_mounted,
)
from stick import NO_OVERLAY, PERSISTENT, Stick
from writelog import Write, before, replay, some_lost, writes

PROGRAM = "/run/liveos/liveos-tui"
_DEVICE = "/dev/sda"
_SECONDS = 400


class NotWellError(Exception):
    """A stick that is not as good as without the cut."""


class HurtFatError(NotWellError):
    """The kernel writes no more to the stick: the cut has hurt its FAT."""


@dataclass(frozen=True, slots=True)
class Recording:
    """A job that was carried out to its end.

    `disk` is the stick before it, `store` the hashes of its overlay and its image; `marks` say how
    many writes were done when the job told of a step ("3 running").
    """

    operation: str
    disk: Path
    log: Path
    writes: tuple[Write, ...]
    marks: tuple[tuple[int, str], ...]
    store: str
    files: Files

    @property
    def merges(self) -> bool:
        """Whether the overlay is empty after it."""
        return self.operation == "merge"

    def step_at(self, count: int) -> str:
        """The step that was under way after so many writes."""
        told = [mark for at, mark in self.marks if at <= count]
        return told[-1] if told else "before the first step"


@dataclass(frozen=True, slots=True)
class Cut:
    """A moment: which writes are on the disk. `back`: the way back is taken after it."""

    words: str
    kept: tuple[int, ...]
    back: bool


def cuts(recording: Recording, at_random: int, seed: int = 1) -> Iterator[Cut]:
    """The cuts of a job: around every step, at random writes, with a cache that is lost."""
    every, chance = recording.writes, random.Random(seed)
    flushed = [index + 1 for index, write in enumerate(every) if write.flush]
    moments = {0, len(every)}
    for count, _ in recording.marks:
        moments |= {count, next((at for at in flushed if at > count), len(every))}
    for number, count in enumerate(sorted(moments)):
        yield Cut(f"write {count}", tuple(range(count)), back=number // 2 % 2 == 1)
    for number in range(at_random):
        count = chance.randrange(len(every) + 1)
        yield Cut(f"random write {count}", tuple(range(count)), back=number % 2 == 1)
    for number in range(at_random):
        count = chance.randrange(len(every) + 1)
        kept = tuple(some_lost(every, count, number))
        yield Cut(f"write {count} without {count - len(kept)}", kept, back=number % 2 == 1)


class Campaign:
    """Records jobs on sticks that are attached to `stick`, and cuts them. Files are in `folder`."""

    def __init__(self, stick: Stick, folder: Path) -> None:
        self.stick = stick
        self.folder = folder

    def recordings(self) -> tuple[Recording, Recording, Recording]:
        """A recovery of a filled stick, and a growth and a merge of the recovered one."""
        disk, files = filled_second(self.stick, self.folder)
        recovery = self._record("recover", disk, files)
        recovered = replay(
            disk,
            recovery.log,
            recovery.writes,
            range(len(recovery.writes)),
            self.folder / "recovered.img",
        )
        return (
            recovery,
            self._record("grow", recovered, files),
            self._record("merge", recovered, files),
        )

    def survive(self, recording: Recording, cut: Cut) -> str:
        """Plug in the stick as the cut has left it, and see to it; what was done, in a word.

        Raises NotWellError.
        """
        image = self.folder / "cut.img"
        replay(recording.disk, recording.log, recording.writes, cut.kept, image)
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
        store = self._store()
        self.stick.detach()
        self._plug_in(disk, log)
        marks = [
            (log.stat().st_size, f"{event['step']} {event['state']}")
            for event in told(self.stick, f"{operation} {_DEVICE} --yes --json")
            if event.get("event") == "step"
        ]
        self.stick.run("sync")
        every = writes(log)
        self.stick.detach()
        counted = tuple((before(every, size), mark) for size, mark in marks)
        return Recording(operation, disk, log, every, counted, store, files)

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
        elif cut.back and job["can_roll_back"]:
            self._tell("jobs", "rollback", job["id"], "--yes", "--target", _DEVICE)
            if self._store() != recording.store:
                raise NotWellError("overlay and image have not the bytes that they had")
            return "rolled back"
        else:
            self._tell("jobs", "resume", job["id"], "--target", _DEVICE)
            done = "gone on with"
        self._expect_well(recording.files, [*well, "fresh"] if recording.merges else well)
        return done

    def _interrupted(self) -> dict[str, Any] | None:
        said = self.stick.run(f"{PROGRAM} jobs list --target {_DEVICE} --json", timeout=120)
        for job in json.loads(said.stdout)["jobs"]:
            if job["state"] == "interrupted":
                return dict(job)
        return None

    def _tell(self, *words: str) -> None:
        said = self.stick.run(" ".join([PROGRAM, *words]), check=False, timeout=_SECONDS)
        if said.returncode != 0:
            last = "\n".join((said.stdout + said.stderr).splitlines()[-12:])
            hurt = re.search("written.*(Read-only file system|Input/output error)", last)
            kind = HurtFatError if hurt else NotWellError
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


def told(stick: Stick, words: str) -> Iterator[dict[str, Any]]:
    """What a command in the booted system tells as lines of JSON, as it comes."""
    with subprocess.Popen(
        [*stick.ssh_command(), f"{PROGRAM} {words}"],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        text=True,
    ) as process:
        assert process.stdout is not None
        for line in process.stdout:
            if line.startswith("{"):
                yield json.loads(line)


def kill_at(folder: Path, step: int) -> None:
    """A stick recovers its own overlay; SIGKILL at the beginning of `step`. Raises NotWellError."""
    with Stick(folder, NO_OVERLAY) as stick:
        stick.install()
        files = fill_unused(stick, OWN, "P")
        for event in told(stick, "recover --yes --json"):
            if (event.get("event"), event.get("step"), event.get("state")) == (
                *("step", step),
                "running",
            ):
                stick.kill()
                break
        stick.boot(NO_OVERLAY)
        stick.install()
        listed = json.loads(stick.run(f"{PROGRAM} jobs list --json", timeout=120).stdout)["jobs"]
        # The journal begins with the first step that writes, the third.
        if not listed and step >= 2:
            raise NotWellError("the job is not found after the boot")
        words = f"jobs resume {listed[0]['id']} --target live" if listed else "recover --yes"
        said = stick.run(f"{PROGRAM} {words}", check=False, timeout=_SECONDS)
        if said.returncode != 0:
            raise NotWellError(f"{words} ended with {said.returncode}: {said.stdout}{said.stderr}")
        stick.kill()
        stick.boot(PERSISTENT)
        missing = lost(stick, files)
        if missing:
            raise NotWellError(f"lost: {missing}")
        stick.run("touch /root/after && sync /root/after")


def main(arguments: Sequence[str]) -> int:
    """The campaign; 1 when one cut was not survived."""
    at_random, kills = (int(word) for word in [*arguments, *("20", "2")[len(arguments) :]])
    began, bad = time.monotonic(), 0
    counts: dict[str, int] = {}
    scratch = CHECKOUT / ".cache"
    with tempfile.TemporaryDirectory(prefix="cuts-", dir=scratch) as name:
        folder = Path(name)
        with Stick(folder / "stick", PERSISTENT) as stick:
            stick.install()
            campaign = Campaign(stick, folder)
            for recording in campaign.recordings():
                planned = list(cuts(recording, at_random))
                print(f"{recording.operation}: {len(planned)} cuts", flush=True)
                for cut in planned:
                    where = f"{recording.operation}, {cut.words}"
                    step = recording.step_at(len(cut.kept))
                    try:
                        done = campaign.survive(recording, cut)
                    except (NotWellError, MachineError) as problem:
                        done, bad = "NOT WELL", bad + 1
                        print(problem, flush=True)
                    counts[done] = counts.get(done, 0) + 1
                    spent = time.monotonic() - began
                    print(f"{spent:6.0f} s  {where} (step {step}): {done}", flush=True)
        for number in range(kills):
            killed = (6, 3, 1, 4, 5, 7, 8, 2)[number % 8]
            try:
                kill_at(folder / f"kill-{number}", killed)
                done = "killed and booted"
            except (NotWellError, MachineError) as problem:
                done, bad = "NOT WELL", bad + 1
                print(problem, flush=True)
            counts[done] = counts.get(done, 0) + 1
            print(
                f"{time.monotonic() - began:6.0f} s  SIGKILL at step {killed}: {done}", flush=True
            )
    total = sum(counts.values())
    print(f"{total} cuts, {total - bad} survived: {counts}")
    return 1 if bad else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
