"""What e2fsck and the file system are asked by the steps, and what they say, in sentences."""

from collections.abc import Iterable
from pathlib import Path

from liveos_tui.errors import LiveosError
from liveos_tui.formats.cow import SECTOR_BYTES
from liveos_tui.jobs.work import Work
from liveos_tui.system.e2fsprogs import (
    ChangedFiles,
    Check,
    FsckError,
    FsckResult,
    argv,
    changed_files,
    check_filesystem,
)
from liveos_tui.system.files import open_own
from liveos_tui.system.views import Trial

# A repair that is not content after so many runs never will be.
_MOST_REPAIRS = 3
_MOST_NAMES = 4
_MOST_FOLDERS = 6


def fsck(work: Work, check: Check, path: Path) -> FsckResult:
    """Run e2fsck once. Raises LiveosError, CancelledError."""
    work.command(*argv(check, path))
    work.begin_pace()
    try:
        return check_filesystem(
            check,
            path,
            on_line=work.line,
            on_progress=work.fsck_progress,
            cancelled=work.cancelled,
        )
    except FsckError as error:
        raise LiveosError(
            error.message,
            "It worked on a throw-away layer: the overlay has not been changed by it.",
        ) from error


def repair_trial(work: Work, trial: Trial) -> FsckResult:
    """Run e2fsck until it is content; what the first run came to.

    Raises LiveosError when it never is.
    """
    first: FsckResult | None = None
    for _ in range(_MOST_REPAIRS):
        result = fsck(work, Check.REPAIR, trial.path)
        first = first or result
        verdict = fsck(work, Check.PREVIEW, trial.path)
        if verdict.sound:
            return first
    raise LiveosError(
        "e2fsck cannot repair this file system: it still finds errors after three runs.",
        "The overlay was not changed by it. Copy the stick before anything else; what is in it can "
        "still be read from a copy.",
    )


def files_of(work: Work, path: Path, chunks: Iterable[int]) -> tuple[str, ...]:
    """Which files are there that the image does not have like this, in sentences.

    Without this the repair is as good: what cannot be told is no reason to stop.
    """
    sectors = work.summary().chunk_sectors
    try:
        with open_own(work.base()) as base, open_own(path) as view:
            found = changed_files(
                work.workplace.probes.runner,
                path,
                base.read,
                view.read,
                chunks,
                sectors * SECTOR_BYTES,
            )
    except LiveosError as error:
        return (f"Which files have changed since the image is not known: {error.message}",)
    return file_sentences(found)


def file_sentences(found: ChangedFiles) -> tuple[str, ...]:
    """What an overlay has changed, in sentences."""
    count = found.new + found.changed
    if not count:
        return ("No file differs from the image.",)
    folders = ", ".join(f"{name} ({number})" for name, number in found.by_folder[:_MOST_FOLDERS])
    sentences = [f"{count} files differ from the image: {found.new} are new. Where: {folders}."]
    if found.deleted:
        gone = "file of the image is" if found.deleted == 1 else "files of the image are"
        sentences.append(
            f"{found.deleted} {gone} not there: deleted while the system ran, before the repair."
        )
    if found.names:
        # They are sorted: the first ones are all of one folder.
        apart = -(-len(found.names) // _MOST_NAMES)
        sentences.append(f"Some of them: {', '.join(found.names[::apart])}.")
    return tuple(sentences)
