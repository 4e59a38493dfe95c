"""The step that copies the merged view to a work folder, and what removes the copy again."""

import time
from pathlib import Path

from liveos_tui.errors import LiveosError
from liveos_tui.formats.cow import SECTOR_BYTES
from liveos_tui.formats.mirror_status import MirrorProgress
from liveos_tui.formats.text import clean
from liveos_tui.jobs.work import Work
from liveos_tui.live.words import size
from liveos_tui.live.work_folders import why_not_work_folder
from liveos_tui.plans.actions import MirrorView
from liveos_tui.system.mirroring import mirror_to_file, remove_copy
from liveos_tui.system.work_folder import device_number, work_folder

# More lines of status than this nobody can read.
_LINE_SECONDS = 0.5


def copy_path(work: Work, action: MirrorView) -> Path:
    """The copy's file: the job's name is in it, so that nobody takes it for another's."""
    return work.elsewhere(action.work) / f"liveos-tui-{work.order.job_id}-rootfs.img"


def mirror_view(work: Work, action: MirrorView) -> str:
    """Copy the merged view to a file in the work folder; what was copied, in a sentence.

    A copy that an interrupted run has left is made anew. Raises MirrorError, CancelledError,
    LiveosError: no copy is left then.
    """
    view, target = work.view(), copy_path(work, action)
    # It goes before the room is looked at: an earlier copy may be what fills the folder.
    drop_mirror(work, action)
    folder = work_folder(work.elsewhere(action.work))
    problem = why_not_work_folder(folder, view.size_bytes, _own_roots(work))
    if problem:
        raise LiveosError(
            problem, "Nothing was written to the stick. Name another folder for the work."
        )
    lines = _Lines(work)
    progress = work.phase("mirroring the view")

    def told(state: MirrorProgress) -> None:
        progress(int(state.fraction * view.size_bytes), view.size_bytes)
        # As dmsetup prints it.
        line = f"0 {view.size_bytes // SECTOR_BYTES} mirror {state.status}"
        lines.told(line, last=state.complete or state.failed is not None)

    copy = mirror_to_file(
        work.workplace.joiner,
        view,
        target,
        work.order.job_id,
        told=told,
        cancelled=work.cancelled,
    )
    return (
        f"The view is mirrored, {size(copy.size_bytes)}: its copy takes "
        f"{size(copy.allocated_bytes)} in {clean(folder.path)}."
    )


def drop_mirror(work: Work, action: MirrorView) -> str:
    """Remove the copy of this job, and nothing else; what was there, in a sentence.

    For when the new image has been made of it, and for a job that is undone or ends. It is needed
    from `mirror_view` until `MakeImage` has ended, in the same run.
    """
    if remove_copy(copy_path(work, action)):
        return f"The copy in {clean(action.work)} is removed."
    return "There was no copy."


def _own_roots(work: Work) -> set[str]:
    """The devices of what the overlay itself makes: the view, and the root that runs from it."""
    probes = work.workplace.probes
    numbers = set()
    if work.place.this_system:
        numbers.add(device_number(probes.path("/")))
    path = work.view().path
    if path.is_block_device():
        numbers.add(device_number(path))
    return numbers


class _Lines:
    """Tells lines of status that differ, and not too many of them."""

    def __init__(self, work: Work) -> None:
        self._work = work
        self._line = ""
        self._told = float("-inf")

    def told(self, line: str, *, last: bool) -> None:
        now = time.monotonic()
        if line == self._line or not (last or now - self._told >= _LINE_SECONDS):
            return
        self._line, self._told = line, now
        self._work.line(clean(line, 500))
