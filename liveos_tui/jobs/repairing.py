"""Steps that repair the file system in the overlay: rehearse it, do it, undo it.

e2fsck never writes to the overlay. It works on a throw-away layer; when it is content there, what
its changes would replace in the store is saved, and only then are they written through the
snapshot. So a killed e2fsck has changed nothing, what it would do is known before, and all of it
can be undone to the byte.
"""

from dataclasses import dataclass

from liveos_tui.errors import LiveosError
from liveos_tui.formats.cow import SECTOR_BYTES, CowHeader, CowSummary, exceptions_per_area
from liveos_tui.formats.dmtable import SnapshotStatus
from liveos_tui.jobs import before
from liveos_tui.jobs.checking import files_of, fsck, repair_trial
from liveos_tui.jobs.marks import check_unused, mark_of_changes, use_mark
from liveos_tui.jobs.work import Work
from liveos_tui.live.facts import chunks
from liveos_tui.live.words import need, size
from liveos_tui.plans.actions import BackUp, GrowFile, Rehearse, Repair
from liveos_tui.system.e2fsprogs import Check
from liveos_tui.system.views import Trial, View

REPAIR_NAME = "repair.cow"

# A page of the kernel's cache is written as a whole, also where chunks are smaller.
_LEAST_WRITE_BYTES = 4096


class NothingToRepairError(LiveosError):
    """All is well, and a repair is all that the job is for: it ends here, well."""


@dataclass(frozen=True, slots=True)
class _Changes:
    """What a repair writes: stretches of the view, and how many chunks of the store they need."""

    pieces: tuple[tuple[int, bytes], ...]
    mapped: tuple[int, ...]
    fresh: int

    @property
    def size_bytes(self) -> int:
        return sum(len(data) for _, data in self.pieces)


def rehearse(work: Work, action: Rehearse) -> str:
    """Repair on a throw-away layer over the overlay as it is; what would come of it.

    Raises NothingToRepairError, LiveosError.
    """
    summary = work.summary()
    if action.read_all:
        _read_all(work, summary)
    header = CowHeader(valid=True, chunk_sectors=summary.chunk_sectors)
    joiner, job_id = work.workplace.joiner, work.order.job_id
    with (
        joiner.view(work.base(), work.store_path, job_id, read_only=True, header=header) as view,
        joiner.trial(view, work.workplace.scratch, job_id) as trial,
    ):
        outcome, sound = _rehearse_repair(work, trial)
        # The journal has changed inodes that the overlay does not hold yet: all are compared.
        everywhere = range(-(-view.size_bytes // (summary.chunk_sectors * SECTOR_BYTES)))
        for sentence in files_of(work, trial.path, everywhere):
            work.found(sentence)
        changes = _changes(work, view, trial, summary)
    outcome = f"{outcome} The stick is as it was: nothing was written to it."
    if sound:
        # What e2fsck would write all the same is when it has looked.
        if _only_repairs(work):
            raise NothingToRepairError(f"There is nothing to repair. {outcome}")
        return outcome
    lacking = _growth_needed(summary, changes)
    planned = _planned_growth(work)
    count = len(changes.mapped) + changes.fresh
    work.found(
        f"The repair would change {chunks(count)} of the overlay ({size(changes.size_bytes)}), "
        f"{changes.fresh} of them new."
    )
    if planned is not None and planned < lacking:
        raise LiveosError(
            f"The repair needs {need(lacking)} more in the overlay, and {size(planned)} are "
            "planned.",
            f"Nothing was changed. Free room on the stick and grow it by {need(lacking)} or more.",
        )
    return outcome


def _only_repairs(work: Work) -> bool:
    """Whether a repair is all that the plan changes of the overlay."""
    writing = [step.action for step in work.plan.steps if step.writes_overlay]
    repairs = any(isinstance(action, Repair) for action in writing)
    return repairs and all(isinstance(action, BackUp | Repair) for action in writing)


def _read_all(work: Work, summary: CowSummary) -> None:
    """Read every chunk that the store has: after an I/O error that is what has to be known."""
    progress = work.phase("reading everything in the overlay")
    end = min(summary.next_free_chunk * summary.chunk_sectors * SECTOR_BYTES, summary.size_bytes)
    with work.stick.open(work.place.overlay) as file:
        for offset in range(0, end, 1 << 20):
            work.stop_if_cancelled()
            file.read(offset, min(1 << 20, end - offset))
            progress(min(offset + (1 << 20), end), end)
    work.found("Everything in the overlay can be read.")


def _rehearse_repair(work: Work, trial: Trial) -> tuple[str, bool]:
    """Replay the journal and repair; what that came to, and whether there was nothing to do.

    The repair itself, not e2fsck's preview (-n): that leaves the journal out, and gives up where a
    first answer of "no" bars its way.
    """
    replay = fsck(work, Check.REPLAY, trial.path)
    repaired = repair_trial(work, trial)
    for sentence in (*replay.summary.sentences(), *repaired.summary.sentences()):
        work.found(sentence)
    problems = repaired.summary.fixed
    if problems:
        return f"{problems} repair{'s' * (problems > 1)} would be made.", False
    if replay.exit or replay.summary.journal_replayed:
        return "The file system is sound once its journal is replayed.", False
    return "The file system is sound.", not (repaired.exit or repaired.summary.modified)


def _changes(work: Work, view: View, trial: Trial, summary: CowSummary) -> _Changes:
    """What the trial has changed, in stretches that the kernel's cache does not widen."""
    chunk_bytes = summary.chunk_sectors * SECTOR_BYTES
    unit = max(chunk_bytes, _LEAST_WRITE_BYTES)
    pieces: dict[int, bytearray] = {}
    for offset, data in trial.changes():
        for at in range(offset, offset + len(data), chunk_bytes):
            start = at // unit * unit
            if start not in pieces:
                pieces[start] = bytearray(view.read(start, min(unit, view.size_bytes - start)))
            chunk = data[at - offset : at - offset + chunk_bytes]
            pieces[start][at - start : at - start + len(chunk)] = chunk
    wanted = {
        at // chunk_bytes
        for start, piece in pieces.items()
        for at in range(start, start + len(piece), chunk_bytes)
    }
    mapped = work.mapped(wanted)
    return _Changes(
        tuple((start, bytes(pieces[start])) for start in sorted(pieces)),
        tuple(mapped.values()),
        len(wanted) - len(mapped),
    )


def _growth_needed(summary: CowSummary, changes: _Changes) -> int:
    """Bytes that the store lacks for a repair: chunks, and areas for their exceptions."""
    if not changes.fresh:
        return 0
    areas = changes.fresh // exceptions_per_area(summary.chunk_sectors) + 2
    end = summary.next_free_chunk + changes.fresh + areas + 1
    return max(0, end * summary.chunk_sectors * SECTOR_BYTES - summary.size_bytes)


def _planned_growth(work: Work) -> int | None:
    """By how much the plan grows the file; None for a plan that only rehearses."""
    if not work.plan.writes:
        return None
    grows = (step.action for step in work.plan.steps if isinstance(step.action, GrowFile))
    return sum(action.to_bytes - action.from_bytes for action in grows)


def repair(work: Work) -> str:
    """Repair on a throw-away layer, save what the changes replace, then write them."""
    if "saved" in work.notes.get(work.step, {}):
        # An earlier run was cut off while it wrote: from the beginning, as if it had not.
        work.found("An earlier repair was cut off. The overlay is put back first.")
        undo_repair(work)
    view, summary = work.view(), work.summary()
    joiner, job_id = work.workplace.joiner, work.order.job_id
    with joiner.trial(view, work.workplace.scratch, job_id) as trial:
        result = repair_trial(work, trial)
        changes = _changes(work, view, trial, summary)
    _save(work, summary, changes)
    progress = work.phase("writing the repair")
    done = 0
    for offset, data in changes.pieces:
        view.write(offset, data)
        done += len(data)
        progress(done, changes.size_bytes)
    view.sync()
    if not isinstance(view.status(), SnapshotStatus):
        raise LiveosError(
            f"The overlay became {view.status()} while the repair was written.",
            "Everything that it replaced is saved: go back, then give it more room.",
        )
    with work.edit_store() as store:
        work.note({"after": before.metadata_digest(store, work.summary())})
    work.report.extend(result.summary.sentences())
    return f"e2fsck is content. {size(changes.size_bytes)} of the overlay were changed."


def _save(work: Work, summary: CowSummary, changes: _Changes) -> None:
    """Save what the changes will replace, on the medium before the first of them is written."""
    chunks = before.written_chunks(summary, changes.mapped, changes.fresh)
    room = before.saved_bytes(summary.chunk_sectors, len(chunks))
    if work.stick.free_bytes < room:
        raise LiveosError(
            f"Saving what the repair replaces needs {need(room)}, and the stick has "
            f"{size(work.stick.free_bytes)} left.",
            "The overlay was not repaired. Free room on the stick and go on.",
        )
    with work.edit_store() as store:
        digest = before.save(
            work.stick,
            work.own_path(REPAIR_NAME),
            store,
            summary.chunk_sectors,
            chunks,
            work.phase("saving what the repair replaces"),
        )
    marks = [use_mark(work), mark_of_changes(changes.pieces)]
    work.note({"saved": REPAIR_NAME, "sha256": digest, "marks": [mark for mark in marks if mark]})


def undo_repair(work: Work) -> str:
    """Put back what a repair has replaced. Refused when the overlay was used since."""
    notes = work.notes.get(work.step, {})
    if "saved" not in notes:
        return "The repair had not written anything."
    check_unused(work)
    work.take_down()
    with work.edit_store() as store:
        after = notes.get("after")
        if after and after != before.metadata_digest(store, work.summary()):
            raise LiveosError(
                "The overlay is not as this job has left it: it was used, or exchanged.",
                "It was left as it is: going back would destroy what is in it.",
            )
        # From here on it is neither: a way back that is cut off is gone again from its beginning.
        work.note({"after": ""})
        before.put_back(
            work.stick,
            work.own_path(REPAIR_NAME),
            store,
            store.size_bytes,
            str(notes.get("sha256")),
            work.phase("putting back what the repair replaced"),
        )
    work.notes.pop(work.step)
    return "What the repair replaced is put back."
