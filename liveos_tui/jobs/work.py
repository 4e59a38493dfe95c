"""What the steps of one run share: the stick, its journal, the view, what is told."""

import time
from collections.abc import Callable
from contextlib import ExitStack
from pathlib import Path

from liveos_tui.errors import CancelledError, LiveosError
from liveos_tui.formats.cow import CowSummary, iterate_exceptions, summarise
from liveos_tui.formats.e2fsck import FsckProgressEvent
from liveos_tui.formats.text import clean
from liveos_tui.jobs.events import (
    CommandEvent,
    Event,
    FoundEvent,
    OutputEvent,
    PausedEvent,
    ProgressEvent,
)
from liveos_tui.jobs.journal import Journal, Notes, folder_of
from liveos_tui.jobs.order import Order, Wanted, Workplace
from liveos_tui.live.model import Operation
from liveos_tui.plans.actions import Register
from liveos_tui.system.stick_writing import StickFolder
from liveos_tui.system.views import View
from liveos_tui.system.writable_file import WritableFile

# More often than this nobody can read, and a slow terminal should not have to draw.
_PROGRESS_SECONDS = 0.25
# A rate over less time than this is a guess.
_RATE_SECONDS = 1.0
_PAUSE_SECONDS = 0.5


class Work:
    """One run of a worker on one stick. A context manager: lets go of everything at its end.

    `notes` are by step: what this and earlier runs have written down to undo them. `report` is what
    the person is told at the end.
    """

    def __init__(self, order: Order, workplace: Workplace) -> None:
        self.order = order
        self.plan = order.plan
        self.place = order.plan.place
        self.workplace = workplace
        self.step = 0
        self.notes: dict[int, Notes] = {}
        self.report: list[str] = []
        self.overlay_number = (0, 0)
        """Device and inode of the overlay's file, once the stick is open."""
        self.held = ExitStack()
        self.pauses = 0
        """How often it has stood still."""
        self._device = ExitStack()
        self._view: View | None = None
        self._base: Path | None = None
        self._joined = ExitStack()
        self._apart: StickFolder | None = None
        self._stick: StickFolder | None = None
        self.journal: Journal | None = None
        self._pace = _Pace()
        if workplace.programs is not None:
            workplace.programs.told = lambda argv: self.command(*argv)

    def __enter__(self) -> "Work":
        return self

    def __exit__(self, *_: object) -> None:
        try:
            self.let_go()
        finally:
            self.held.close()

    # The stick and what lies on it.

    @property
    def stick(self) -> StickFolder:
        """The stick's folder, locked. Raises LiveosError before the stick has been opened."""
        if self._stick is None:
            raise LiveosError("The stick has not been opened.", "Nothing was changed.")
        return self._stick

    def use_stick(self, stick: StickFolder) -> None:
        """Work on this stick from now on."""
        self._stick = stick

    def own_path(self, name: str) -> str:
        """The path on the stick of a file of this job."""
        return f"{folder_of(self.order.job_id)}/{name}"

    def elsewhere(self, path: str) -> Path:
        """Where the folder outside of the stick is that the plan has at `path`."""
        return Path(self.order.work or path)

    def apart(self, path: str) -> StickFolder:
        """The folder on another disk that the plan has at `path`. Raises LiveosError."""
        if self._apart is None:
            at = self.elsewhere(path)
            try:
                self._apart = self.held.enter_context(StickFolder(at))
            except LiveosError as error:
                raise LiveosError(
                    f"{clean(str(at))}, where the images of this job are, is not there.",
                    "Nothing was changed. Connect that disk, and name the folder where it is now "
                    "(--work DIR).",
                ) from error
        return self._apart

    @property
    def compared_name(self) -> str:
        """The name by which a new image is joined while it is compared: the job's is the old's."""
        return f"{self.order.job_id}-new"

    @property
    def store_path(self) -> Path:
        """The overlay's file as programs and devices name it."""
        return self.stick.path / self.place.overlay

    def image_path(self) -> Path:
        """The image's file as programs and devices name it. Raises LiveosError.

        A plain file, reached without a link: programs and devices would follow one out of the
        stick.
        """
        image = self.place.image or ""
        with self.stick.open(image):
            pass
        return self.stick.path / image

    def edit_store(self) -> WritableFile:
        """The overlay's file, to be written."""
        return self.stick.edit(self.place.overlay)

    def store_bytes(self) -> int:
        """The size of the overlay's file at this moment. Raises LiveosError."""
        with self.stick.open(self.place.overlay) as file:
            return file.identity.size_bytes

    def summary(self) -> CowSummary:
        """What the store holds at this moment. Raises CowError, LiveosError."""
        with self.stick.open(self.place.overlay) as file:
            return summarise(file.read, file.identity.size_bytes)

    def mapped(self, wanted: set[int]) -> dict[int, int]:
        """Where the store keeps these chunks of the base; those that it does not hold are left out.

        Where a chunk comes twice, the later exception counts, as for the kernel.
        """
        with self.stick.open(self.place.overlay) as file:
            pairs = iterate_exceptions(file.read, file.identity.size_bytes)
            return {old: new for old, new in pairs if old in wanted}

    # The view.

    def base(self) -> Path:
        """The base image, joined until it is let go of."""
        if self._base is None:
            joiner = self.workplace.joiner
            self._base = self._joined.enter_context(
                joiner.base(self.image_path(), self.place.base, self.order.job_id)
            )
        return self._base

    def view(self) -> View:
        """Base and store as one device: writable where the plan registers it, else only read."""
        if self._view is None and self.plan.operation is Operation.MERGE and self.plan.works_in_use:
            raise LiveosError("The running root is not frozen.", "Nothing was changed.")
        if self._view is None:
            actions = [step.action for step in self.plan.steps]
            register = next((each for each in actions if isinstance(each, Register)), None)
            self._view = self._device.enter_context(
                self.workplace.joiner.view(
                    self.base(),
                    self.store_path,
                    self.order.job_id,
                    persistence=register.persistence if register else "PO",
                    read_only=register is None,
                )
            )
        return self._view

    def use_view(self, view: View) -> None:
        """Have `view` be what `view()` gives, until it is taken down."""
        self._view = view

    def take_down(self) -> None:
        """Remove the device, if there is one: after it the store's file is nobody else's."""
        self._view = None
        self._device.close()

    def let_go(self) -> None:
        """Remove the device, and have nobody use the base image."""
        self.take_down()
        self._base = None
        self._joined.close()

    # The journal.

    def note(self, note: Notes) -> None:
        """Write down what undoing the present step needs, before it is needed."""
        self.notes.setdefault(self.step, {}).update(note)
        if self.journal is not None:
            self.journal.note(self.step, note)

    # Telling.

    def tell(self, event: Event) -> None:
        """Tell an event as it is."""
        self.workplace.tell(event)

    def found(self, text: str) -> None:
        """Tell something that the person should know."""
        self.tell(FoundEvent(self.step, text))

    def command(self, *argv: str) -> None:
        """Tell that a program is started."""
        self.tell(CommandEvent(self.step, argv))

    def line(self, text: str) -> None:
        """Tell a line of a program's output; it has passed `clean`."""
        self.tell(OutputEvent(self.step, text))

    def phase(self, name: str) -> Callable[[int, int], None]:
        """Something long begins; call what is returned with bytes done and bytes in all."""
        self._pace = _Pace()
        self.tell(ProgressEvent(self.step, name))

        def progress(done: int, total: int) -> None:
            if self._pace.is_due(last=done >= total):
                rate = self._pace.rate(done)
                left = (total - done) / rate if rate else None
                fraction = done / total if total else None
                self.tell(ProgressEvent(self.step, name, fraction, rate, left))

        return progress

    def fsck_progress(self, event: FsckProgressEvent) -> None:
        """How far e2fsck is."""
        if self._pace.is_due():
            left = self._pace.seconds_left(event.fraction)
            phase = f"pass {event.pass_number} of 5: {event.name}"
            self.tell(ProgressEvent(self.step, phase, event.fraction, None, left))

    def begin_pace(self) -> None:
        """What comes is measured from here."""
        self._pace = _Pace()

    def paused(self) -> bool:
        """Whether the person wants the job to stand still."""
        return self.workplace.control.wanted() is Wanted.STAND_STILL

    def cancelled(self) -> bool:
        """Whether the person wants the job to end. While it is paused, this is not answered."""
        wanted = self.workplace.control.wanted()
        if wanted is Wanted.STAND_STILL:
            wanted = self._stand_still()
        return wanted is Wanted.END

    def _stand_still(self) -> Wanted:
        """Wait while the job is paused; what is wanted then."""
        control, began = self.workplace.control, time.monotonic()
        self.pauses += 1
        self.tell(PausedEvent(self.step, paused=True))
        while (wanted := control.wanted()) is Wanted.STAND_STILL:
            control.wait(_PAUSE_SECONDS)
        self._pace.leave_out(time.monotonic() - began)
        self.tell(PausedEvent(self.step, paused=False))
        return wanted

    def stop_if_cancelled(self) -> None:
        """Raise CancelledError when the person wants the job to end."""
        if self.cancelled():
            raise CancelledError("Cancelled.")


class _Pace:
    """How fast something goes, and when it is told."""

    def __init__(self) -> None:
        self._began = time.monotonic()
        self._told = 0.0

    def leave_out(self, seconds: float) -> None:
        """So long nothing was done."""
        self._began += seconds

    def is_due(self, *, last: bool = False) -> bool:
        now = time.monotonic()
        if not last and now - self._told < _PROGRESS_SECONDS:
            return False
        self._told = now
        return True

    def rate(self, done: int) -> float | None:
        """Bytes a second so far."""
        spent = time.monotonic() - self._began
        return done / spent if spent >= _RATE_SECONDS and done else None

    def seconds_left(self, fraction: float) -> float | None:
        spent = time.monotonic() - self._began
        return spent / fraction - spent if spent >= _RATE_SECONDS and fraction > 0 else None
