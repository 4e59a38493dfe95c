"""Whether two names stand for the same bytes of a file system.

A FAT has the place of a file's content in its directory's entry. Two entries that are exchanged are
in two sectors, if the folder has many names; a power cut between them leaves both with the same
content. To remove one of them then would take the content away from the other.
"""

import fcntl
import os
import struct
from contextlib import suppress
from pathlib import Path

# FIBMAP: linux/fs.h. The number of a block goes in, its place comes out; 0 for none.
_FIBMAP = 1
_PLACE = struct.Struct("i")


def first_block(path: Path) -> int | None:
    """Where a file's content begins on its file system, in blocks.

    None where that is not known: it has none, it is not there, the file system does not tell, or
    only tells root.
    """
    with suppress(OSError):
        descriptor = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_CLOEXEC)
        try:
            (place,) = _PLACE.unpack(fcntl.ioctl(descriptor, _FIBMAP, _PLACE.pack(0)))
        finally:
            os.close(descriptor)
        return int(place) or None
    return None


def share_content(one: Path, other: Path) -> bool:
    """Whether two files, which are not the same one, have the same place for their content."""
    first = first_block(one)
    return first is not None and first == first_block(other) and not one.samefile(other)
