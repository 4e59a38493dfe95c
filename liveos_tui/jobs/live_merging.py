"""Steps of a merge of the running root: freeze it, switch it to the new image, or let go of it.

As long as the root is frozen it bears the job's name, so a worker that goes on finds the view of
one that was killed. A worker that ends by itself before the switch, well or not, lets go of it.
"""

import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Protocol

from liveos_tui.errors import CancelledError, LiveosError
from liveos_tui.formats.dmtable import SnapshotTable
from liveos_tui.formats.text import clean
from liveos_tui.jobs.merging import check_not_the_same
from liveos_tui.jobs.opening import loop_of_overlay
from liveos_tui.jobs.order import Control, Wanted
from liveos_tui.jobs.work import Work
from liveos_tui.plans.actions import ExchangeImages, FreezeRoot, SwitchRoot, ThawRoot
from liveos_tui.system.dm_control import DmControl
from liveos_tui.system.frozen_view import FrozenView
from liveos_tui.system.identity import boot_id
from liveos_tui.system.loops import file_identity, loops_of
from liveos_tui.system.root_base import forget_base, new_base
from liveos_tui.system.root_devices import RootNames, root_names
from liveos_tui.system.root_freeze import freeze, is_frozen, thaw
from liveos_tui.system.root_switch import finish, is_switched, switch

_PIECE_BYTES = 1 << 20
_SYNC_BYTES = 16 << 20
_WATCH_SECONDS = 2.0
_TELL_FRACTION = 0.1
_WARN_FRACTION = 0.8
_READY = "ready in boot"


def freeze_root(work: Work, action: FreezeRoot) -> str:
    """Freeze the root, or take up again what a killed worker has left; `work.view()` is it then."""
    control, names = _control(work), _names(work, action.device)
    if _take_up(work, control, names):
        return "The view that an earlier run has frozen is there: it is used."
    _check_device(work, control, names)
    # Half done by a worker that was killed, or lost since.
    thaw(control, names)
    scratch = work.elsewhere(action.scratch) if action.scratch else None
    runner = work.workplace.probes.runner
    pause = freeze(control, runner, names, action.scratch_bytes, scratch)
    _take_up(work, control, names)
    work.found(f"The system stood still for {pause:.2f} seconds.")
    return "The view is frozen; the system goes on, into its own overlay."


def find_frozen(work: Work, action: FreezeRoot) -> bool:
    """Whether the frozen view of an earlier run is still there; then `work.view()` is it.

    It is not after a boot, and where its scratch store has filled up.
    """
    return _take_up(work, _control(work), _names(work, action.device))


def thaw_root(work: Work, action: ThawRoot) -> str:
    """Let go of the frozen view."""
    return _let_go(work, action.device)


def undo_freeze(work: Work) -> str:
    """Let go of the frozen view; a root that was switched stays switched."""
    return _let_go(work, _freeze_action(work).device)


def switch_root(work: Work, action: SwitchRoot) -> str:
    """Have the root use the new image, with an overlay of what has changed since the freeze."""
    control, names = _control(work), _names(work, action.device)
    if is_switched(control, names):
        return _end_switch(work, control, names)
    if not is_frozen(control, names):
        if control.info(names.real) is None:
            return (
                "The system was started anew since: it runs on the new image already. What its "
                "overlay holds is right, and can be merged again."
            )
        raise LiveosError(
            "The scratch store is full: what has changed since the freeze is not known.",
            "The new image serves from the next boot on, with the overlay as it is.",
        )
    _make_second(work, action)
    # From here on the overlays may be exchanged at any moment.
    work.note({_READY: boot_id(work.workplace.probes)})
    runner, stick = work.workplace.probes.runner, work.stick.path
    freezing = _freeze_action(work)
    overlay, second = Path(work.place.overlay), Path(action.second)
    copied = work.phase("copying what has changed")
    image = work.image_path()
    try:
        with new_base(runner, work.order.job_id, image, work.place.base) as base:
            done = switch(
                control,
                runner,
                names,
                base,
                stick / overlay.parent,
                overlay.name,
                second.name,
                freezing.scratch_bytes,
                work.elsewhere(freezing.scratch) if freezing.scratch else None,
                progress=copied,
                stop=work.stop_if_cancelled,
            )
    except LiveosError as error:
        # After the names are exchanged there is only one way on.
        if not is_switched(control, names):
            raise
        work.found(f"{error.message} It was nearly done, and is done now.")
    else:
        work.report.append(
            f"The system stood still for {done.pause_seconds:.2f} seconds when it was switched: "
            f"{done.paused_chunks} chunks were copied then, {done.ahead_chunks} before."
        )
    return _end_switch(work, control, names)


def undo_switch(work: Work, action: SwitchRoot) -> str:
    """Remove the second overlay of a switch that has not happened. Raises LiveosError else."""
    control, names = _control(work), _names(work, action.device)
    if is_switched(control, names):
        raise LiveosError(
            "The running root uses the new image: that is not undone while it runs.",
            "It was left as it is.",
        )
    notes = work.notes.get(work.step, {})
    if _READY in notes and notes[_READY] != boot_id(work.workplace.probes):
        raise LiveosError(
            "The system was started anew in the middle of the switch: whether the overlay that it "
            "uses is the old one or the second is not known.",
            "It was left as it is, and is whole either way. Keep it (`jobs leave`).",
        )
    check_not_the_same(work.stick, action.second, work.place.overlay)
    work.stick.remove(action.second)
    return "The root had not been switched; the second overlay is removed."


def _end_switch(work: Work, control: DmControl, names: RootNames) -> str:
    """Take down what the root was; the overlay's file is another one from now on."""
    _close_view(work)
    forget_base(work.workplace.probes.runner, work.order.job_id)
    actions = [step.action for step in work.plan.steps]
    beside = next((each.beside for each in actions if isinstance(each, ExchangeImages)), None)
    old_image = work.stick.path / beside if beside else None
    for gone in finish(control, work.workplace.probes.runner, names, old_image):
        work.line(clean(f"let go of: {gone}"))
    with work.stick.open(work.place.overlay) as file:
        work.overlay_number = file.identity.device, file.identity.inode
    return "The system runs on the new image; its overlay holds what has changed since the freeze."


def _make_second(work: Work, action: SwitchRoot) -> None:
    """A file of zeros, every block of it on the medium."""
    path = work.stick.path / action.second
    runner = work.workplace.probes.runner
    if path.exists() and loops_of(runner, file_identity(path)):
        raise LiveosError(f"{clean(action.second)} is in use.", "Nothing was changed.")
    check_not_the_same(work.stick, action.second, work.place.overlay)
    work.stick.remove(action.second)
    progress = work.phase("making the second overlay")
    try:
        with work.stick.create(action.second) as file:
            for offset in range(0, action.second_bytes, _PIECE_BYTES):
                work.stop_if_cancelled()
                file.write(offset, bytes(min(_PIECE_BYTES, action.second_bytes - offset)))
                if offset % _SYNC_BYTES == 0:
                    file.sync()
                progress(offset + _PIECE_BYTES, action.second_bytes)
            file.sync()
    except (CancelledError, LiveosError):
        work.stick.remove(action.second)
        raise


def _take_up(work: Work, control: DmControl, names: RootNames) -> bool:
    """Have the frozen view be the one that steps work on, if it is there."""
    if not is_frozen(control, names):
        return False
    # Called after the view is closed, which is before the stick and its lock are let go of.
    work.held.callback(_thaw_at_the_end, control, work, names)
    view = FrozenView(control, names)
    work.held.callback(view.close)
    work.use_view(view)
    watch = FillWatch(work.workplace.control, view, work.line, work.found)
    work.workplace = replace(work.workplace, control=watch)
    return True


def _let_go(work: Work, device: str) -> str:
    control, names = _control(work), _names(work, device)
    if is_switched(control, names):
        return _end_switch(work, control, names)
    if control.info(names.real) is None:
        # Also where a plan from a stick names a device that this job never had.
        return "The root uses its own overlay."
    _close_view(work)
    forget_base(work.workplace.probes.runner, work.order.job_id)
    pause = thaw(control, names)
    if pause is None:
        return "The root uses its own overlay."
    work.found(f"The system stood still for {pause:.2f} seconds.")
    return "The root uses its own overlay again, without a reboot."


def _thaw_at_the_end(control: DmControl, work: Work, names: RootNames) -> None:
    if not is_switched(control, names) and control.info(names.real) is not None:
        forget_base(work.workplace.probes.runner, work.order.job_id)
        thaw(control, names)


def _close_view(work: Work) -> None:
    control = work.workplace.control
    if isinstance(control, FillWatch):
        control.view.close()
        work.workplace = replace(work.workplace, control=control.control)
    work.take_down()


class Frozen(Protocol):
    """What is asked of a frozen view while a step works on it."""

    def fill(self) -> float:
        """See `FrozenView.fill`."""
        ...

    def check(self) -> None:
        """See `FrozenView.check`."""
        ...

    def close(self) -> None:
        """See `FrozenView.close`."""
        ...


class FillWatch:
    """A `Control` that looks at the scratch store whenever a step asks whether it is to go on.

    The step ends with an error when the view is lost: what it made would be wrong. How full the
    store is, is told by `line`, and by `warn` when it is nearly full.
    """

    def __init__(
        self,
        control: Control,
        view: Frozen,
        line: Callable[[str], None],
        warn: Callable[[str], None],
    ) -> None:
        self.control = control
        self.view = view
        self._line = line
        self._warn = warn
        self._looked = -_WATCH_SECONDS
        self._told = 0.0

    def allowed(self) -> int | None:
        """See `Control.allowed`."""
        return self.control.allowed()

    def wanted(self) -> Wanted:
        """See `Control.wanted`. Raises LiveosError when the view is lost."""
        now = time.monotonic()
        if now - self._looked >= _WATCH_SECONDS:
            self._looked = now
            self._look()
        return self.control.wanted()

    def take_back(self) -> bool:
        """See `Control.take_back`."""
        return self.control.take_back()

    def wait(self, seconds: float) -> None:
        """See `Control.wait`."""
        self.control.wait(seconds)

    def _look(self) -> None:
        self.view.check()
        fill = self.view.fill()
        if fill < self._told + _TELL_FRACTION:
            return
        self._told = fill
        text = f"The scratch store is {fill:.0%} full."
        if fill >= _WARN_FRACTION:
            self._warn(f"{text} If it fills up, the merge ends; the system goes on.")
        else:
            self._line(text)


def _check_device(work: Work, control: DmControl, names: RootNames) -> None:
    """Raise LiveosError unless the root writes into the overlay of the plan.

    A plan comes back from a stick, where anyone may have written it: no other device is held.
    """
    loop = loop_of_overlay(work)
    there = [name for name in (names.real, names.root) if control.info(name) is not None]
    stores = {
        line.table.cow
        for name in there
        for line in control.table(name)
        if isinstance(line.table, SnapshotTable)
    }
    if loop is None or loop.number not in stores:
        raise LiveosError(
            f"{clean(names.root)} does not use the overlay of {work.place.name}.",
            "Nothing was changed. Look at the stick again and start anew.",
        )


def _control(work: Work) -> DmControl:
    return work.held.enter_context(DmControl())


def _names(work: Work, device: str) -> RootNames:
    return root_names(device, work.order.job_id)


def _freeze_action(work: Work) -> FreezeRoot:
    for step in work.plan.steps:
        if isinstance(step.action, FreezeRoot):
            return step.action
    raise LiveosError("The plan freezes nothing.", "Nothing was changed.")
