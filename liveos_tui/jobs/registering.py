"""Steps with the overlay as a device: register it, verify it, take it down."""

from pathlib import Path

from liveos_tui.errors import LiveosError
from liveos_tui.formats.cow import SECTOR_BYTES, iterate_exceptions
from liveos_tui.formats.dmtable import SnapshotStatus
from liveos_tui.formats.text import clean
from liveos_tui.jobs.checking import files_of, fsck
from liveos_tui.jobs.work import Work
from liveos_tui.live.words import size
from liveos_tui.system.e2fsprogs import Check, file_bytes, folder_names

_OS_RELEASE_BYTES = 4096
_QUOTES = b"\"'"


def register(work: Work) -> str:
    """Join base and store, and see that the kernel takes them."""
    view = work.view()
    match view.status():
        case SnapshotStatus(allocated, total, _):
            used, whole = allocated * SECTOR_BYTES, total * SECTOR_BYTES
            return f"The overlay is a device again: {size(used)} of {size(whole)} used."
        case ill:
            raise LiveosError(
                f"The overlay was taken, and is {ill} at once.",
                "It is as it was before this step. Go back, or look at the kernel's log (dmesg).",
            )


def verify(work: Work) -> str:
    """e2fsck finds nothing, and what matters can be read."""
    view = work.view()
    path = view.path
    verdict = fsck(work, Check.PREVIEW, path)
    if not verdict.sound:
        raise LiveosError(
            f"After the repair: {verdict.words}",
            "The overlay can be put back as it was before the recovery.",
        )
    runner = work.workplace.probes.runner
    names = [entry.name for entry in folder_names(runner, path, "/")]
    if not names:
        raise LiveosError(
            "The root folder cannot be read.", "Go back, and keep the stick as it is."
        )
    work.found(f"The root folder has {len(names)} entries. {_release(work, path)}")
    lost = len([e for e in folder_names(runner, path, "/lost+found") if e.name not in {".", ".."}])
    with work.stick.open(work.place.overlay) as file:
        chunks = [old for old, _ in iterate_exceptions(file.read, file.identity.size_bytes)]
    names_lost = (
        f"{lost} files have lost their names, not their contents: look for them in /lost+found."
        if lost
        else "No file has lost its name: /lost+found is empty."
    )
    # What came back, what was lost; what e2fsck did for it comes last.
    work.report[:0] = [*files_of(work, path, chunks), names_lost]
    return "e2fsck finds nothing wrong, and what matters can be read."


def _release(work: Work, path: Path) -> str:
    """Which system it is, by its own word.

    The file system is sound: a file that is not there is told, and no reason to go back.
    """
    runner = work.workplace.probes.runner
    try:
        data = file_bytes(runner, path, "/etc/os-release", _OS_RELEASE_BYTES)
    except LiveosError:
        work.report.append("There is no /etc/os-release: see whether the system is whole.")
        return "There is no /etc/os-release in it."
    for line in data.splitlines():
        key, _, value = line.partition(b"=")
        if key == b"PRETTY_NAME":
            return f"It holds {clean(value.strip(_QUOTES))}."
    return "Its /etc/os-release can be read."


def take_down(work: Work) -> str:
    """Remove the device; the overlay's file is whole and on the medium."""
    work.take_down()
    with work.edit_store() as store:
        store.sync()
    summary = work.summary()
    if not summary.valid or summary.full or summary.damage:
        raise LiveosError(
            "The overlay is not well after the device was removed.",
            "Go back: it gets the bytes that it had before.",
        )
    return f"The overlay is well: {size(summary.used_bytes)} of {size(summary.total_bytes)} used."
