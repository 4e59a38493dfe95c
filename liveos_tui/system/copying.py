"""Copies of large files, compared with what was copied: the copy is read back from its medium."""

import hashlib
from collections.abc import Callable, Iterator

from liveos_tui.errors import CancelledError
from liveos_tui.system.stick_writing import StickFolder
from liveos_tui.system.writable_file import WritableFile

Progress = Callable[[int, int], None]
"""Told how many bytes of how many are done."""

_PIECE_BYTES = 1 << 20
# Written out in between: the last piece must not wait for all the others, and the rate is real.
_SYNC_PIECES = 16
_ZEROS = bytes(_PIECE_BYTES)


def copy_file(
    source: WritableFile,
    folder: StickFolder,
    name: str,
    progress: Progress = lambda _done, _all: None,
    cancelled: Callable[[], bool] = lambda: False,
) -> str:
    """Copy a file to a new one in `folder`; the SHA-256 of what was read.

    What is zeros takes no room where the file system can have that. It is on the medium when this
    returns. Raises NoRoomError, LiveosError, CancelledError.
    """
    digest = hashlib.sha256()
    with folder.create(name) as target:
        target.let_all_read()
        for number, (start, data) in enumerate(_pieces(source, progress, cancelled)):
            digest.update(data)
            if data != _ZEROS:
                target.write(start, data)
            if number % _SYNC_PIECES == _SYNC_PIECES - 1:
                target.sync()
        # On FAT this writes zeros to the end.
        target.truncate(source.size_bytes)
        target.sync()
    folder.sync_folder(name.rpartition("/")[0])
    return digest.hexdigest()


def digest_of(
    file: WritableFile,
    progress: Progress = lambda _done, _all: None,
    cancelled: Callable[[], bool] = lambda: False,
) -> str:
    """The SHA-256 of a file as its medium has it. Raises LiveosError, CancelledError."""
    file.sync()
    file.forget_cache()
    digest = hashlib.sha256()
    for _, data in _pieces(file, progress, cancelled):
        digest.update(data)
    return digest.hexdigest()


def _pieces(
    file: WritableFile, progress: Progress, cancelled: Callable[[], bool]
) -> Iterator[tuple[int, bytes]]:
    """(offset, bytes) of a file; progress is told when a piece has been dealt with."""
    size_bytes = file.size_bytes
    for start in range(0, size_bytes, _PIECE_BYTES):
        if cancelled():
            raise CancelledError("Cancelled.")
        data = file.read(start, min(_PIECE_BYTES, size_bytes - start))
        yield start, data
        progress(start + len(data), size_bytes)
