"""Power cuts in the middle of jobs, and what comes after them.

    tests/vm/run cuts [MOMENTS] [KILLS] [--only JOB] [--boots N]        or: make vm-cuts

JOB is recover, grow or merge, of a stick that is attached (see `attached_cuts`), or live, the merge
of the running system (see `live_cuts`); without --only each of them. Each is cut

- before, at and after every line of its journal, and at each of the writes around an exchange of
  names, also with only one sector of it written;
- at MOMENTS random writes (20);
- at MOMENTS random moments of a stick with a cache of its own that loses half of what was not
  flushed.

BOOTS (6) of the cuts of a live merge are booted, too: the first, and others all over it.

Then KILLS (2) real ones, at a step each: QEMU gets SIGKILL while the stick recovers its own
overlay, is booted again without it, goes on, and is booted with it.

Ends with 1 when a cut is not survived.
"""

import argparse
import json
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path

import attached_cuts
import live_cuts
from attached_cuts import Campaign
from cut_points import (
    Cut,
    NotWellError,
    Point,
    around_exchanges,
    around_points,
    at_random,
    step_at,
)
from kernel import PROGRAM, told
from laboratory import Laboratory
from live_cuts import LiveMerge
from machine import CACHE, MachineError
from rescue import OWN, fill_unused, lost
from stick import NO_OVERLAY, PERSISTENT, Stick
from writelog import first_gap

LIVE = "live"
_JOBS = (*attached_cuts.OPERATIONS, LIVE)


class Score:
    """Counts what became of cuts, and prints each."""

    def __init__(self) -> None:
        self.bad = 0
        self._began = time.monotonic()
        self._counts: Counter[tuple[str, str]] = Counter()

    def count(self, job: str, where: str, survive: Callable[[], str]) -> None:
        """Make a cut; what `survive` says is counted, its first words."""
        try:
            done = survive()
        except (NotWellError, MachineError) as problem:
            done, self.bad = "NOT WELL", self.bad + 1
            print(problem, flush=True)
        self._counts[job, done.partition(":")[0]] += 1
        print(f"{time.monotonic() - self._began:6.0f} s  {job}, {where}: {done}", flush=True)

    def say(self) -> None:
        """The counts."""
        total = sum(self._counts.values())
        print(f"{total} cuts, {total - self.bad} survived:")
        for (job, done), number in sorted(self._counts.items()):
            print(f"  {job}: {number} {done}")


def attached(folder: Path, score: Score, jobs: Sequence[str], moments: int) -> None:
    """The cuts of jobs on a stick that is attached."""
    with Stick(folder / "stick", PERSISTENT) as stick:
        stick.install()
        campaign = Campaign(stick, folder)
        for job, recording in campaign.recordings(jobs).items():
            every, points = recording.writes, recording.points
            planned = [
                *around_points(every, points),
                *around_exchanges(recording.log, every, attached_cuts.EXCHANGED),
                *at_random(every, moments),
            ]
            _announce(job, planned, points)
            for cut in planned:
                score.count(
                    job,
                    f"{cut.words} ({step_at(points, cut.count)})",
                    partial(campaign.survive, recording, cut),
                )


def live(folder: Path, score: Score, moments: int, boots: int) -> None:
    """The cuts of a merge of the running system."""
    log = folder / "live.log"
    with Stick(folder / "live", PERSISTENT, log=log) as merged:
        recording = LiveMerge.of(merged, log, crowded=True).recording
        merged.kill()
        cuts = [
            *recording.around_points(),
            *recording.around_exchanges(),
            *recording.at_random(moments),
        ]
        cuts.sort(key=lambda cut: first_gap(cut.kept))
        _announce(LIVE, cuts, recording.points)
        laboratory = Laboratory(folder, recording)
        score.count(f"{LIVE}, control", "", partial(_control, laboratory, cuts[0], cuts[-1]))
        for cut in cuts:
            score.count(
                LIVE,
                f"{cut.words} ({step_at(recording.points, cut.count)})",
                partial(laboratory.look, cut),
            )
        for number, cut in enumerate(_some(cuts, boots)):
            score.count(
                f"{LIVE}, booted",
                f"{cut.words} ({step_at(recording.points, cut.count)})",
                partial(live_cuts.boot, folder / f"boot-{number}", recording, cut),
            )


def _control(laboratory: Laboratory, cut: Cut, last: Cut) -> str:
    """What was told after a cut is missing: one that is missed is seen. Raises NotWellError."""
    try:
        laboratory.look(cut, told_at=last)
    except NotWellError as problem:
        return f"missing, as it has to be: {str(problem)[:60]}"
    raise NotWellError("What was told after the cut is there.")


def _some(planned: Sequence[Cut], number: int) -> list[Cut]:
    """As many, evenly all over."""
    return [planned[index * (len(planned) - 1) // max(1, number - 1)] for index in range(number)]


def _announce(job: str, planned: Sequence[Cut], points: Sequence[Point]) -> None:
    print(f"{job}: {len(planned)} cuts; {len(points)} lines of its journal:", flush=True)
    print("  " + ", ".join(f"{point.words} ({point.write})" for point in points), flush=True)


def kill_at(folder: Path, step: int) -> str:
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
        words = f"jobs resume {listed[0]['id']} --yes --target live" if listed else "recover --yes"
        said = stick.run(f"{PROGRAM} {words}", check=False, timeout=attached_cuts.SECONDS)
        if said.returncode != 0:
            raise NotWellError(f"{words} ended with {said.returncode}: {said.stdout}{said.stderr}")
        stick.kill()
        stick.boot(PERSISTENT)
        missing = lost(stick, files)
        if missing:
            raise NotWellError(f"lost: {missing}")
        stick.run("touch /root/after && sync /root/after")
    return "killed and booted"


def main(arguments: Sequence[str]) -> int:
    """The campaign; 1 when one cut was not survived."""
    parser = argparse.ArgumentParser(prog="tests/vm/run cuts")
    parser.add_argument("moments", type=int, nargs="?", default=20)
    parser.add_argument("kills", type=int, nargs="?", default=2)
    parser.add_argument("--only", choices=_JOBS, action="append")
    parser.add_argument("--boots", type=int, default=6)
    told_to = parser.parse_args(arguments)
    jobs, score = told_to.only or _JOBS, Score()
    with tempfile.TemporaryDirectory(prefix="cuts-", dir=CACHE) as name:
        folder = Path(name)
        on_attached = [job for job in attached_cuts.OPERATIONS if job in jobs]
        if on_attached:
            attached(folder, score, on_attached, told_to.moments)
        if LIVE in jobs:
            live(folder, score, told_to.moments, told_to.boots)
        for number in range(told_to.kills):
            step = (6, 3, 1, 4, 5, 7, 8, 2)[number % 8]
            score.count(
                "recover, SIGKILL",
                f"at step {step}",
                partial(kill_at, folder / f"kill-{number}", step),
            )
    score.say()
    return 1 if score.bad else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
