"""Carries an order out: step by step, each in the journal before it happens."""

from liveos_tui.errors import CancelledError, LiveosError
from liveos_tui.formats.text import clean
from liveos_tui.jobs import live_merging, opening
from liveos_tui.jobs.doing import do, undo
from liveos_tui.jobs.events import (
    GOING_BACK,
    EndEvent,
    JobState,
    StepEvent,
    StepState,
    WaitingEvent,
)
from liveos_tui.jobs.journal import read
from liveos_tui.jobs.marks import check_unused
from liveos_tui.jobs.merging import WhichImage, image_notes, which_image
from liveos_tui.jobs.order import Order, OrderKind, Workplace
from liveos_tui.jobs.repairing import NothingToRepairError
from liveos_tui.jobs.work import Work
from liveos_tui.live.model import Operation
from liveos_tui.plans.actions import ExchangeImages, FreezeRoot, GrowFile, OpenStick
from liveos_tui.plans.model import Plan
from liveos_tui.plans.steps import of_job

_WAIT_SECONDS = 0.5

_DONE = {
    Operation.RECOVER: "The overlay of {} is recovered.",
    Operation.GROW: "The overlay of {} is larger.",
    Operation.MERGE: "The overlay of {} is merged.",
    Operation.RESET: "The overlay of {} is empty.",
}


def carry_out(order: Order, workplace: Workplace) -> EndEvent:
    """Do what is ordered, and say how it ended. Never raises LiveosError."""
    run = _Run(order, workplace)
    try:
        with run.work:
            end = run.carry_out()
            run.close_journal(end)
    except LiveosError as error:
        # While everything was taken down: the steps themselves have ended.
        return run.failed(error)
    return end


class _Run:
    """One run of a worker."""

    def __init__(self, order: Order, workplace: Workplace) -> None:
        self.order = order
        self.steps = order.plan.steps
        self.work = Work(order, workplace)
        self.done = 0
        self._begun: int | None = None

    def carry_out(self) -> EndEvent:
        try:
            self._open()
            if self.order.kind is OrderKind.ROLL_BACK:
                return self._roll_back()
            return self._go_on()
        except CancelledError:
            return self._cancelled()
        except NothingToRepairError as well:
            return EndEvent(JobState.DONE, well.message)
        except LiveosError as error:
            return self.failed(error)

    # Opening.

    def _open(self) -> None:
        """Do the first step, which every run does, and learn what earlier runs have done."""
        first = self.steps[0].action
        if not isinstance(first, OpenStick):
            raise LiveosError("The plan does not begin with the stick's lock.", "Nothing was done.")
        self._tell(0, StepState.RUNNING)
        try:
            text = opening.open_stick(self.work, first)
            if self.order.kind is not OrderKind.START:
                self._learn()
        except LiveosError as error:
            self._tell(0, StepState.FAILED, error.message)
            raise
        self.done = max(self.done, 1)
        self._tell(0, StepState.DONE, text)
        for step in range(1, self.done):
            self._tell(step, StepState.DONE, "Done by an earlier run.")

    def _learn(self) -> None:
        state = read(self.work.stick, self.order.job_id)
        if not is_same_work(state.plan, self.order.plan):
            raise LiveosError(
                "The journal on the stick is of another plan.",
                "Nothing was changed. Look at the stick again.",
            )
        self.work.notes = {step: dict(notes) for step, notes in state.notes.items()}
        self.done, self._begun = state.done, state.begun
        if self.order.kind is OrderKind.RESUME:
            self._check_growth()
            self._check_freeze()

    def _check_growth(self) -> None:
        """Go on at the growth when the file is smaller than it had become.

        A check of the stick's file system between two runs may have cut it.
        """
        size_bytes = self.work.store_bytes()
        for index, step in enumerate(self.steps[: self.done]):
            if isinstance(step.action, GrowFile) and size_bytes < step.action.to_bytes:
                self.done, self._begun = index, None
                return

    def _check_freeze(self) -> None:
        """Go on at the freeze when the frozen view is gone, as it is after a boot."""
        actions = [step.action for step in self.steps[: self.done]]
        for index, action in enumerate(actions):
            if not isinstance(action, FreezeRoot) or live_merging.find_frozen(self.work, action):
                continue
            if any(isinstance(each, ExchangeImages) for each in actions) or self._runs_on_new():
                raise LiveosError(
                    "The system was booted since the images were exchanged: it runs on the new "
                    "image, under its old overlay, and nothing is lost.",
                    "Go back to the old image (`jobs rollback`), or keep the new one: `jobs "
                    "leave`, then `jobs forget`; the overlay can be merged again then.",
                )
            self.done, self._begun = index, None
            return

    def _runs_on_new(self) -> bool:
        """Whether the images were exchanged already, and a power cut came before the journal."""
        image, notes = self.work.place.image, image_notes(self.work.notes)
        if image is None or not notes:
            return False
        return which_image(self.work.stick, image, notes) is WhichImage.NEW

    # Forward.

    def _go_on(self) -> EndEvent:
        # A running system uses its overlay all the time; its view is frozen anew.
        if self.order.kind is OrderKind.RESUME and not self.order.plan.works_in_use:
            check_unused(self.work)
        while self.done < len(self.steps):
            if not self._may_go_on():
                continue
            self._do(self.done)
        return self._ended()

    def _may_go_on(self) -> bool:
        """Wait until the person lets the next step happen; whether it may."""
        control = self.work.workplace.control
        told = False
        while True:
            self.work.step = self.done
            pauses = self.work.pauses
            self.work.stop_if_cancelled()
            # Who listens was told that it goes on.
            told = told and self.work.pauses == pauses
            if control.take_back():
                self._step_back()
                return False
            allowed = control.allowed()
            if allowed is None or self.done < allowed:
                return True
            if not told:
                self.work.tell(WaitingEvent(self.done))
                told = True
            control.wait(_WAIT_SECONDS)

    def _do(self, index: int) -> None:
        step = self.steps[index]
        self.work.step = index
        if step.writes_overlay and self.work.journal is None:
            self._begin_journal(index)
        self._begun = index
        self._tell(index, StepState.RUNNING)
        self._write(index, StepState.RUNNING)
        try:
            if step.writes:
                opening.check_same(self.work)
            text = do(self.work, step.action)
        except CancelledError:
            self._write(index, StepState.CANCELLED)
            self._tell(index, StepState.CANCELLED)
            raise
        except NothingToRepairError as well:
            self._done(index, well.message)
            raise
        except LiveosError as error:
            self._write(index, StepState.FAILED, error.message)
            self._tell(index, StepState.FAILED, error.message)
            raise
        self._done(index, text)

    def _done(self, index: int, text: str) -> None:
        self._write(index, StepState.DONE, text)
        self.done, self._begun = index + 1, None
        self._tell(index, StepState.DONE, text)

    def _begin_journal(self, steps: int) -> None:
        """Begin the journal, with the steps that are behind."""
        opening.begin_journal(self.work)
        for index in range(steps):
            self._write(index, StepState.DONE)

    # Back.

    def _step_back(self) -> None:
        """Undo the last step that was done; the first one, the lock, stays."""
        if self.done > 1:
            self._undo(self.done - 1)

    def _roll_back(self) -> EndEvent:
        # Either image is right under the overlay, used or not; what is reset knows by itself.
        if self.order.plan.operation is not Operation.MERGE:
            check_unused(self.work)
        last = self.done - 1 if self._begun is None else self._begun
        for index in range(last, 0, -1):
            self._undo(index)
        self.done = 0
        return EndEvent(
            JobState.ROLLED_BACK,
            "Everything that this job wrote to the stick is undone.",
            "What it had before it has again, byte for byte.",
        )

    def _undo(self, index: int) -> None:
        self.work.step = index
        self._tell(index, StepState.RUNNING, GOING_BACK)
        opening.check_same(self.work)
        # Who goes on after a power cut has to know that it may not be done any more.
        self._write(index, StepState.RUNNING)
        text = undo(self.work, self.steps[index].action)
        self.work.notes.pop(index, None)
        self._write(index, StepState.UNDONE, text)
        self.done, self._begun = index, None
        self._tell(index, StepState.UNDONE, text)

    # The end.

    def _ended(self) -> EndEvent:
        plan = self.order.plan
        return EndEvent(
            JobState.DONE,
            _DONE[plan.operation].format(plan.place.name)
            if plan.first_write < len(plan.steps)
            else "The rehearsal went well to its end. Nothing was written to the stick.",
            self._afterwards(),
            tuple(dict.fromkeys(self.work.report)),
        )

    def _afterwards(self) -> str:
        """What is left to do, with the job's own name in it."""
        job_id, text = self.order.job_id, " ".join(self.order.plan.afterwards)
        return of_job(text, job_id).replace("forget JOB", f"forget {job_id}")

    def _cancelled(self) -> EndEvent:
        return EndEvent(JobState.CANCELLED, "Cancelled.", self._state_words())

    def failed(self, error: LiveosError) -> EndEvent:
        """How a run ends that could not go on."""
        # Going back, the step that failed knows best what it has left.
        goes_back = self.order.kind is OrderKind.ROLL_BACK
        words = "" if goes_back else self._state_words()
        hint = " ".join(filter(None, (error.hint, words)))
        return EndEvent(JobState.FAILED, error.message, hint)

    def _state_words(self) -> str:
        """What was done so far, and what can be done about it."""
        touched = self.done if self._begun is None else self._begun + 1
        if not self.order.plan.has_written(touched):
            return "Nothing was written to the stick."
        last = self.steps[self.done - 1].title if self.done else "nothing"
        return f"Done up to: {last}. Go on with this job, or go back to what was before."

    def close_journal(self, end: EndEvent) -> None:
        """Write the end down. Where even that fails, the job is found as an interrupted one."""
        if self.work.journal is not None:
            self.work.journal.end(end.state, end.message)

    # Telling.

    def _write(self, index: int, state: StepState, text: str = "") -> None:
        if self.work.journal is not None:
            self.work.journal.step(index, state, text)

    def _tell(self, index: int, state: StepState, text: str = "") -> None:
        self.work.tell(StepEvent(index, state, clean(text, 1000)))


def is_same_work(journal: Plan, order: Plan) -> bool:
    """Whether a journal is of the plan that is ordered; the stick's device may have a new name."""
    return journal.steps == order.steps and all(
        getattr(journal.place, name) == getattr(order.place, name)
        for name in ("uuid", "label", "serial", "overlay", "image", "base")
    )
