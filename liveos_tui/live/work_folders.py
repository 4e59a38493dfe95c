"""Whether a folder will do for the copies of a merge."""

from collections.abc import Collection

from liveos_tui.formats.text import clean
from liveos_tui.live.growth import file_limit
from liveos_tui.live.words import need, size
from liveos_tui.system.work_folder import WorkFolder


def why_not_work_folder(
    folder: WorkFolder,
    needed_bytes: int,
    own_roots: Collection[str] = (),
    largest_bytes: int | None = None,
) -> str | None:
    """Why no files of `needed_bytes` are to be made there, in a sentence; None where it will do.

    `own_roots` are the device numbers ("254:0") of what the overlay itself makes: a copy there
    would be written into the overlay that is copied. `largest_bytes` is the size of the largest
    file, None for one file. The room has to be there for all of it, though zeros take none: how
    many there are is known only when they were read.
    """
    largest = needed_bytes if largest_bytes is None else largest_bytes
    name = clean(folder.path)
    if folder.number in own_roots:
        return f"{name} lies on the overlay itself: what is written there fills it."
    if not folder.writable:
        return f"{name} may not be written."
    limit = file_limit(folder.filesystem)
    if limit is not None and largest > limit:
        return f"{name} lies on a FAT, where no file has {need(largest)}."
    if folder.free_bytes < needed_bytes:
        where = "in memory" if folder.in_memory else "there"
        return (
            f"{name} has too little room: {need(needed_bytes)} are needed, "
            f"{size(folder.free_bytes)} are free {where}."
        )
    return None
