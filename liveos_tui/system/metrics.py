"""How much room there is: file systems and memory, as psutil tells it."""

from dataclasses import dataclass
from pathlib import Path

from liveos_tui.errors import UnreadableError
from liveos_tui.formats.text import clean

try:
    import psutil as figures
except ImportError:
    # A bundle has none: the same figures from where psutil takes them.
    from liveos_tui.system import proc_metrics as figures  # type: ignore[no-redef]


@dataclass(frozen=True, slots=True)
class FilesystemUsage:
    """Bytes of a mounted file system, as `df` prints them.

    used is blocks that hold something, free is what is left for a person: the two may be less than
    total, since some blocks are kept for root.
    """

    total_bytes: int
    used_bytes: int
    free_bytes: int


def filesystem_usage(path: Path) -> FilesystemUsage:
    """Ask the file system that holds `path`. Raises UnreadableError."""
    try:
        usage = figures.disk_usage(str(path))
    except OSError as error:
        raise UnreadableError(
            f"The file system at {clean(str(path))} does not answer: {error.strerror}.",
            "The stick may be failing or gone. Nothing was changed.",
        ) from error
    return FilesystemUsage(usage.total, usage.used, usage.free)


def available_memory() -> int:
    """Bytes of memory that can be given to programs without swapping."""
    return int(figures.virtual_memory().available)
