"""A workshop that answers what a test tells it, and jobs that a test leads."""

from collections.abc import Callable, Hashable
from dataclasses import dataclass, field, replace

from console_fakes import MIB, NOW

from liveos_tui.errors import LiveosError
from liveos_tui.jobs.events import (
    CommandEvent,
    EndEvent,
    Event,
    FoundEvent,
    JobState,
    OutputEvent,
    PausedEvent,
    ProgressEvent,
    StepEvent,
    StepState,
    WaitingEvent,
)
from liveos_tui.jobs.workshop import NO_JOURNAL, Job, Proposal, Wish
from liveos_tui.live.diagnosis import Fact
from liveos_tui.live.model import Operation, Possibility
from liveos_tui.live.place import Place
from liveos_tui.plans.actions import (
    BackUp,
    GrowFile,
    OpenStick,
    Register,
    Rehearse,
    Repair,
    ResetStore,
    SetValid,
    TakeDown,
    Verify,
)
from liveos_tui.plans.model import Cancel, Confirmation, Plan, Room, Step
from liveos_tui.plans.ways import BACK

PLACE = Place(
    target="/dev/sdc1",
    name="STICK2",
    overlay="LiveOS/overlay-STICK2-0BAD-F00D",
    image="LiveOS/squashfs.img",
    mount_point="/media/me/STICK2",
    device="/dev/sdc1",
    label="STICK2",
    uuid="0BAD-F00D",
    filesystem="vfat",
    model="Kingston DataTraveler",
    size_bytes=7 * 1024 * MIB + 410 * MIB,
)

FACTS = (
    Fact("Header", "magic right, version 1, valid 0, chunks of 4 KiB", bad=True),
    Fact("Chunks", "131,072 of 131,072 are used", bad=True),
    Fact("File", "512 MiB, all of it provided by the stick"),
    Fact("Last area", "complete"),
    Fact("Base image", "LiveOS/rootfs.img, 2.0 GiB, belongs to it"),
    Fact("File system", "ext4, not cleanly unmounted"),
    Fact("Cause", "not known: the kernel log of that time is gone", unknown=True),
)

E2FSCK = ("e2fsck", "-f", "-y", "REHEARSAL")

RECOVERY = Plan(
    Operation.RECOVER,
    PLACE,
    "Recover the overlay of STICK2",
    (
        Step(OpenStick(), "Lock, check again", "Nobody else may work on this stick meanwhile."),
        Step(
            Rehearse(),
            "Rehearse the repair",
            "e2fsck runs on a throw-away layer in memory. Nothing is written to the stick.",
            (E2FSCK,),
            ("e2fsck",),
        ),
        Step(
            BackUp(),
            "Back up the header",
            "Header and list of exceptions are saved beside the journal.",
            writes=("liveos-tui-jobs/JOB/metadata.cow: 2.0 MiB",),
            undo="Nothing of the overlay was changed; the backup stays.",
        ),
        Step(
            GrowFile(512 * MIB, 576 * MIB),
            "Grow the file",
            "A repair needs new chunks.",
            needs=("64 MiB of room on the stick",),
            writes=("LiveOS/overlay-STICK2-0BAD-F00D: 64 MiB of zeros",),
            undo="The file is cut to its old size.",
            cancel=Cancel.SAFE_POINT,
        ),
        Step(
            SetValid(),
            "Mark it valid",
            "The valid byte of the header is set to 1.",
            writes=("LiveOS/overlay-STICK2-0BAD-F00D: byte 4",),
            undo="The header is put back from the backup.",
            cancel=Cancel.NEVER,
        ),
        Step(Register(), "Register it", "Base image and overlay become one device again."),
        Step(Repair(), "Repair", "e2fsck repairs it.", writes=("the overlay: the changes",)),
        Step(Verify(), "Verify", "e2fsck has to find nothing."),
        Step(TakeDown(), "Take it down", "The stick can be unplugged."),
    ),
    Confirmation.ENTER,
    summary=("The overlay ran full and became Invalid. It is grown, marked valid and repaired.",),
    warnings=("The stick has to stay plugged in.",),
    room=(Room("on the stick", 68 * MIB, 1741 * MIB),),
    go_back=f"Going back {BACK} gives the overlay the exact bytes that it had.",
    afterwards=("Boot the stick and see that all is there.",),
)

RISKY = replace(RECOVERY, confirmation=Confirmation.LABEL)

GROWTH = Plan(
    Operation.GROW,
    replace(PLACE, name="LIVE", device="/dev/sdb1", target="live", this_system=True),
    "Grow the overlay of LIVE",
    (
        Step(OpenStick(), "Lock, check again", "Nobody else may work on this stick meanwhile."),
        Step(
            GrowFile(512 * MIB, 640 * MIB),
            "Grow the file",
            "The overlay's file becomes 640 MiB.",
            writes=("LiveOS/overlay-LIVE-12AB-CDEF: 128 MiB of zeros at its end",),
        ),
    ),
    Confirmation.ENTER,
    summary=("The overlay grows from 512 MiB to 640 MiB. No reboot is needed.",),
    room=(Room("on the stick", 132 * MIB, 1741 * MIB),),
    go_back="The file is cut to its old size, as long as nothing lies in the new part.",
)

RESET = Plan(
    Operation.RESET,
    PLACE,
    "Reset the overlay of STICK2",
    (
        Step(OpenStick(), "Lock, check again", "Nobody else may work on this stick meanwhile."),
        Step(
            ResetStore(),
            "Reset the overlay",
            "The kernel takes it for a fresh one.",
            writes=("LiveOS/overlay-STICK2-0BAD-F00D: the first 512 bytes become zeros",),
        ),
    ),
    Confirmation.LABEL,
    summary=("Everything that was changed on this stick is thrown away.",),
)

IN_USE = (
    Possibility(Operation.RECOVER, False, "The overlay is neither Invalid nor full."),
    Possibility(Operation.GROW, True),
    Possibility(Operation.MERGE, True),
    Possibility(
        Operation.RESET,
        False,
        "The overlay is in use by the running system. Boot once with rd.live.overlay.reset to "
        "start with an empty one.",
    ),
)
"""What can be done to an overlay that is in use and fills."""

WELL = (Possibility(Operation.RECOVER, False, "It is well.", on_request=True),)
"""What can be done to one that nothing is known to be wrong with."""

DEAD = (
    Possibility(Operation.RECOVER, True),
    Possibility(Operation.GROW, False, "The overlay is Invalid: recover it."),
    Possibility(Operation.RESET, True),
)
"""What can be done to one that is Invalid."""

Answer = Proposal | Exception | Callable[[Wish], Proposal]


def grown(wish: Wish) -> Proposal:
    """A proposal for this growth, or why it is too much: the stick has room for 1 GiB."""
    by = wish.grow_bytes if wish.grow_bytes is not None else 128 * MIB
    if by > 1024 * MIB:
        return Proposal(FACTS, None, "The stick has only 1.0 GiB free.", "Nothing was changed.")
    action = GrowFile(512 * MIB, 512 * MIB + by)
    steps = (GROWTH.steps[0], replace(GROWTH.steps[1], action=action))
    return Proposal(FACTS, replace(GROWTH, steps=steps))


@dataclass
class FakeJob:
    """A job that does the steps that it may do at once, and waits then."""

    plan: Plan
    started: float = NOW.timestamp() - 60
    events: list[Event] = field(default_factory=list)
    state: JobState = JobState.RUNNING
    done: int = 0
    message: str = ""
    can_resume: bool = False
    can_roll_back: bool = False
    why_not_back: str = NO_JOURNAL
    kept: bool = True
    touched: bool = True
    listeners: int = 0
    allowed: int | None = 0

    def tell(self, *events: Event) -> None:
        self.events += events

    def listed(self, job_id: str = "recover-1") -> Job:
        """As the list of jobs has it."""
        return Job(
            job_id,
            self.plan,
            self.state,
            self.started,
            self.done,
            self.message,
            self.can_resume,
            "" if self.can_roll_back else self.why_not_back,
            self.kept,
            self.touched,
        )

    def step(self, index: int) -> None:
        """One step, from its beginning to its end."""
        self.tell(StepEvent(index, StepState.RUNNING))
        if index == 1:
            self.tell(
                CommandEvent(1, E2FSCK),
                OutputEvent(1, "Pass 5: Checking group summary information"),
                OutputEvent(1, "Free blocks count wrong (311862, counted=299574)."),
                FoundEvent(1, "Would fix 3 counts. Loses nothing. 92 files come back."),
            )
        self.tell(StepEvent(index, StepState.DONE, f"Step {index + 1} is done."))
        self.done = index + 1

    def work(self, allowed: int | None) -> None:
        count = len(self.plan.steps)
        self.allowed = allowed
        for index in range(self.done, count if allowed is None else min(allowed, count)):
            self.step(index)
        if self.done == count:
            report = ("92 files came back.", "Nothing was lost.")
            hint = "Boot the stick and see that all is there."
            self.end(JobState.DONE, "The overlay is well again.", hint, report)
        else:
            self.state = JobState.WAITING
            self.tell(WaitingEvent(self.done))

    def end(
        self, state: JobState, message: str, hint: str = "", report: tuple[str, ...] = ()
    ) -> None:
        self.state, self.message = state, message
        self.tell(EndEvent(state, message, hint, report))


@dataclass
class FakeFeed:
    job: FakeJob
    at: int = 0

    def poll(self) -> list[Event]:
        new = self.job.events[self.at :]
        self.at += len(new)
        return new

    def close(self) -> None:
        self.job.listeners -= 1


@dataclass
class FakeWorkshop:
    """`answers` are by operation; `calls` is what was asked of it, in order.

    `by_itself`: a job does at once what it is allowed to do. Otherwise a test tells its events.
    """

    answers: dict[Operation, Answer] = field(
        default_factory=lambda: {
            Operation.RECOVER: Proposal(FACTS, RECOVERY),
            Operation.GROW: grown,
            Operation.RESET: Proposal(FACTS, RESET),
        }
    )
    known: dict[str, FakeJob] = field(default_factory=dict)
    calls: list[tuple[object, ...]] = field(default_factory=list)
    refusals: dict[str, LiveosError] = field(default_factory=dict)
    by_itself: bool = True
    listings: int = 0

    def _asked(self, name: str, *arguments: object) -> None:
        self.calls.append((name, *arguments))
        if name in self.refusals:
            raise self.refusals[name]

    def propose(self, target: str, wish: Wish) -> Proposal:
        self._asked("propose", target, wish)
        answer = self.answers[wish.operation]
        if isinstance(answer, Exception):
            raise answer
        return answer if isinstance(answer, Proposal) else answer(wish)

    def start(self, plan: Plan, *, allowed: int | None = None) -> str:
        self._asked("start", plan.operation, allowed)
        job_id = f"{plan.operation}-{len(self.known) + 1}"
        self.known[job_id] = job = FakeJob(plan)
        if self.by_itself:
            job.work(allowed)
        return job_id

    def jobs(self, target: str | None = None, work: str | None = None) -> tuple[Job, ...]:
        listed = [job.listed(job_id) for job_id, job in self.known.items()]
        self.listings += 1
        return tuple(sorted(listed, key=lambda job: -job.started))

    def stamp(self) -> Hashable:
        return frozenset((job_id, job.state) for job_id, job in self.known.items())

    def feed(self, job_id: str) -> FakeFeed:
        if "feed" in self.refusals:
            raise self.refusals["feed"]
        job = self.known[job_id]
        job.listeners += 1
        return FakeFeed(job)

    def allow(self, job_id: str, steps: int) -> None:
        self._asked("allow", job_id, steps)
        if self.by_itself:
            self.known[job_id].work(steps)

    def step_back(self, job_id: str) -> None:
        self._asked("step_back", job_id)
        job = self.known[job_id]
        job.done -= 1
        job.tell(StepEvent(job.done, StepState.UNDONE, "It is undone."))
        job.tell(WaitingEvent(job.done))

    def cancel(self, job_id: str) -> None:
        self._asked("cancel", job_id)
        job = self.known[job_id]
        job.can_resume = job.can_roll_back = True
        job.end(JobState.CANCELLED, "It was cancelled.", "The stick is as step 2 left it.")

    def pause(self, job_id: str) -> None:
        self._asked("pause", job_id)
        job = self.known[job_id]
        job.tell(PausedEvent(job.done, paused=True))

    def go_on(self, job_id: str) -> None:
        self._asked("go_on", job_id)
        job = self.known[job_id]
        job.tell(PausedEvent(job.done, paused=False))

    def resume(self, job_id: str, target: str | None = None, work: str | None = None) -> str:
        self._asked("resume", job_id, target)
        job = self.known[job_id]
        job.state, job.can_resume = JobState.RUNNING, False
        if self.by_itself:
            job.work(None if job.touched else job.plan.first_write)
        return job_id

    def roll_back(self, job_id: str, target: str | None = None, work: str | None = None) -> str:
        self._asked("roll_back", job_id, target)
        job = self.known[job_id]
        job.can_resume = job.can_roll_back = False
        for index in reversed(range(job.done)):
            job.tell(StepEvent(index, StepState.UNDONE, "Undone."))
        job.end(JobState.ROLLED_BACK, "The overlay is as it was.")
        return job_id

    def leave(self, job_id: str, target: str | None = None) -> None:
        self._asked("leave", job_id, target)
        self.known[job_id].state = JobState.LEFT

    def forget(self, job_id: str, target: str | None = None, work: str | None = None) -> str:
        self._asked("forget", job_id, target)
        del self.known[job_id]
        return "938 MiB are free again."

    def asked(self, name: str) -> list[tuple[object, ...]]:
        """The arguments of all calls of this name."""
        return [call[1:] for call in self.calls if call[0] == name]


def interrupted(done: int = 4) -> FakeJob:
    """A recovery that a power cut has ended."""
    job = FakeJob(RECOVERY, state=JobState.INTERRUPTED, can_resume=True, can_roll_back=True)
    for index in range(done):
        job.step(index)
    job.message = "Its worker is gone: the power was cut, or the machine was reset."
    return job


def undone() -> FakeJob:
    """A recovery that has failed, and was undone."""
    job = failed()
    job.end(JobState.ROLLED_BACK, "The overlay is as it was.")
    job.can_resume = job.can_roll_back = False
    return job


def running() -> FakeJob:
    """A recovery in the middle of its rehearsal."""
    job = FakeJob(RECOVERY)
    job.step(0)
    job.tell(
        StepEvent(1, StepState.RUNNING),
        CommandEvent(1, E2FSCK),
        OutputEvent(1, "Pass 1: Checking inodes, blocks, and sizes"),
        OutputEvent(1, "Pass 5: Checking group summary information"),
        ProgressEvent(1, "pass 5 of 5", 0.82, 12 * MIB, 65),
    )
    job.done = 1
    return job


def failed() -> FakeJob:
    """A recovery whose file could not be grown."""
    job = FakeJob(RECOVERY, can_resume=True, can_roll_back=True)
    for index in range(3):
        job.step(index)
    job.tell(
        StepEvent(3, StepState.RUNNING),
        StepEvent(
            3, StepState.FAILED, "The stick has no room left: 12 MiB of 64 MiB were written."
        ),
    )
    job.end(
        JobState.FAILED,
        "Growing the file failed.",
        "The file has its old size again. Free 52 MiB on the stick, then go on.",
        ("The overlay is as it was; the backup is on the stick.",),
    )
    return job


def finished() -> FakeJob:
    """A recovery that has ended well, and can still be undone."""
    job = FakeJob(RECOVERY, can_roll_back=True)
    job.work(None)
    return job
