"""Saving a text where a person wants it."""

import os
from contextlib import suppress
from pathlib import Path

from liveos_tui.errors import ExitCode, LiveosError
from liveos_tui.formats.text import clean

_NEW = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC


class NotANewFileError(LiveosError):
    """What was named cannot be the name of a new file."""

    exit_code = ExitCode.USAGE


def save_new(path: Path, text: str) -> None:
    """Make a file that only its owner may read. One that is there is left.

    Raises NotANewFileError, LiveosError.
    """
    try:
        descriptor = os.open(path, _NEW, 0o600)
    except OSError as error:
        named = isinstance(error, FileExistsError | FileNotFoundError | NotADirectoryError)
        raise (NotANewFileError if named else LiveosError)(
            f"{clean(str(path))} cannot be made: {error.strerror}.",
            "Nothing was changed. Name another file with --output.",
        ) from error
    try:
        with os.fdopen(descriptor, "w", encoding="utf-8") as file:
            file.write(text)
            file.flush()
            os.fsync(file.fileno())
    except OSError as error:
        with suppress(OSError):
            path.unlink()
        raise LiveosError(
            f"{clean(str(path))} could not be written: {error.strerror}.",
            "It was removed again. Name a file on another disk with --output.",
        ) from error
