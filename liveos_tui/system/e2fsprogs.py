"""e2fsck and debugfs: check a file system, and look into one without mounting it."""

from collections import Counter
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path

from liveos_tui.errors import CancelledError, LiveosError, UnreadableError
from liveos_tui.formats import debugfs
from liveos_tui.formats.debugfs import Entry, InodeKind
from liveos_tui.formats.e2fsck import (
    FsckExit,
    FsckMessages,
    FsckProgress,
    FsckProgressEvent,
    FsckSummary,
    exit_words,
)
from liveos_tui.formats.ext4_inodes import (
    DEFAULT_CHUNK_BYTES,
    ROOT_INODE,
    Change,
    Read,
    inode_changes,
)
from liveos_tui.formats.text import clean
from liveos_tui.system.runner import Finished, Runner
from liveos_tui.system.streaming import PROGRESS, stream

# Every code is looked at here, not by the runner.
_ANY_CODE = range(-64, 256)
_FATAL = FsckExit.OPERATIONAL | FsckExit.USAGE | FsckExit.LIBRARY

# One look at a whole image's folders, on a slow stick.
_LOOK_SECONDS = 120.0
_ANSWER_LIMIT = 8 << 20
# The limit of an answer is the limit of what debugfs complains of, too.
_COMPLAINTS_LIMIT = 64 << 10
# One request of debugfs is one argument, and the kernel takes 128 KiB for one.
_INODES_AT_A_TIME = 4000
_INODES_LIMIT = 20_000
_SAMPLE = 200


class Check(StrEnum):
    """What e2fsck is run for."""

    REPLAY = "replay the journal"
    PREVIEW = "look, change nothing"
    REPAIR = "repair"


_ARGUMENTS = {
    Check.REPLAY: ("-E", "journal_only", "-y"),
    Check.PREVIEW: ("-f", "-n"),
    Check.REPAIR: ("-f", "-y"),
}


@dataclass(frozen=True, slots=True)
class FsckResult:
    """How a run of e2fsck ended, and what it came to."""

    check: Check
    exit: FsckExit
    summary: FsckSummary

    @property
    def sound(self) -> bool:
        """All of it was looked at, the journal too, and there is nothing wrong."""
        looked = self.check is not Check.REPLAY and not self.summary.journal_skipped
        return looked and self.exit == 0

    @property
    def run_again(self) -> bool:
        """Something was repaired or is left: one more run shows whether that was all."""
        return bool(self.exit & (FsckExit.FIXED | FsckExit.LEFT))

    @property
    def words(self) -> str:
        """The exit code in sentences."""
        return exit_words(self.exit)


class FsckError(LiveosError):
    """e2fsck could not do its work. `result` says how far it came."""

    def __init__(self, message: str, hint: str, result: FsckResult) -> None:
        super().__init__(message, hint)
        self.result = result


@dataclass(frozen=True, slots=True)
class ChangedFiles:
    """What an overlay has changed: files, links and new folders, not folders that got new names.

    `by_folder` counts new and changed ones by the top folder, "/home" or "/" itself, most first.
    `names` is a sample of their paths, harmless; `unnamed` are those for which none was found or
    looked up. Deleted ones have only a number.
    """

    new: int
    changed: int
    deleted: int
    by_folder: tuple[tuple[str, int], ...]
    names: tuple[str, ...]
    unnamed: int


def argv(check: Check, path: Path) -> tuple[str, ...]:
    """The command of a check. It is run like this, with `-C` and a pipe for its progress added."""
    return ("e2fsck", *_ARGUMENTS[check], str(path))


def check_filesystem(
    check: Check,
    path: Path,
    *,
    on_line: Callable[[str], None],
    on_progress: Callable[[FsckProgressEvent], None],
    cancelled: Callable[[], bool],
) -> FsckResult:
    """Run e2fsck on a device or file; `on_line` gets what it prints, harmless, line by line.

    A file system with errors is a result, also one where a preview could not look at everything
    (12). Raises FsckError when e2fsck could not go on, CancelledError, ToolMissingError.
    """
    messages, progress = FsckMessages(), FsckProgress()

    def output(data: bytes) -> None:
        for line in messages.feed(data):
            on_line(line)

    def advance(data: bytes) -> None:
        for event in progress.feed(data):
            on_progress(event)

    program, *arguments = argv(check, path)
    finished = stream(
        [program, "-C", PROGRESS, *arguments],
        on_output=output,
        on_progress=advance,
        cancelled=cancelled,
        ok=_ANY_CODE,
    )
    for line in messages.close():
        on_line(line)
    for event in progress.close():
        on_progress(event)
    return _result(check, path, finished, messages.summary())


def _result(check: Check, path: Path, finished: Finished, summary: FsckSummary) -> FsckResult:
    # A negative one is the signal that has ended it.
    code = FsckExit.OPERATIONAL if finished.returncode < 0 else FsckExit(finished.returncode)
    result = FsckResult(check, code, summary)
    if code & FsckExit.CANCELLED:
        raise CancelledError("e2fsck was cancelled.", _untouched(check, summary))
    # A preview that may repair nothing cannot go on behind some errors: that is what it has found.
    stuck = check is Check.PREVIEW and code == FsckExit.LEFT | FsckExit.OPERATIONAL
    if code & _FATAL and not stuck:
        why = f"signal {-finished.returncode}" if finished.returncode < 0 else f"{int(code)}"
        raise FsckError(
            f"e2fsck could not finish with {clean(path.name)} (it ended with {why}): "
            f"{summary.last_words}.",
            _untouched(check, summary),
            result,
        )
    return result


def _untouched(check: Check, summary: FsckSummary) -> str:
    if check is Check.PREVIEW:
        return "It only looked: nothing was changed."
    if summary.fixed or summary.journal_replayed or summary.modified:
        return "What it had repaired until then is written; run it again."
    return "Nothing is known to be changed; run it again."


def folder_names(runner: Runner, path: Path, folder: str) -> tuple[Entry, ...]:
    """The entries of a folder of an ext file system, given by its absolute path.

    Raises UnreadableError when it is not there or cannot be read.
    """
    return debugfs.parse_folder(_ask(runner, path, f"ls -p {debugfs.quoted(folder)}"))


def file_bytes(runner: Runner, path: Path, name: str, limit: int) -> bytes:
    """The first `limit` bytes of a file, given by its absolute path. Links are followed inside.

    Raises UnreadableError when it is not there or cannot be read.
    """
    return _ask(runner, path, f"cat {debugfs.quoted(name)}", limit)


def names_of_inodes(runner: Runner, path: Path, inodes: Iterable[int]) -> dict[int, str]:
    """A path for each inode that has one, harmless. At most 20,000 are looked for.

    Raises UnreadableError.
    """
    return {inode: clean(raw) for inode, raw in _names(runner, path, inodes).items()}


def _names(runner: Runner, path: Path, inodes: Iterable[int]) -> dict[int, bytes]:
    wanted = sorted(set(inodes))[:_INODES_LIMIT]
    found: dict[int, bytes] = {}
    for first in range(0, len(wanted), _INODES_AT_A_TIME):
        batch = wanted[first : first + _INODES_AT_A_TIME]
        request = "ncheck " + " ".join(map(str, batch))
        asked = frozenset(batch)
        names = debugfs.parse_names(_ask(runner, path, request, part_will_do=True))
        found |= {inode: name for inode, name in names.items() if inode in asked}
    # The root folder is in no folder.
    if ROOT_INODE in wanted:
        found[ROOT_INODE] = b"/"
    return found


def changed_files(
    runner: Runner,
    path: Path,
    base_read: Read,
    view_read: Read,
    chunks: Iterable[int],
    chunk_bytes: int = DEFAULT_CHUNK_BYTES,
) -> ChangedFiles:
    """Which files differ between base and view; `path` is a file or device with the view's bytes.

    `chunks` are the old chunk numbers of the store's exceptions. Replay the journal before. Raises
    FormatError (see `ext4_inodes.inode_changes`) and UnreadableError.
    """
    counts: Counter[Change] = Counter()
    present: list[int] = []
    for each in inode_changes(base_read, view_read, chunks, chunk_bytes):
        if each.kind is InodeKind.FOLDER and each.change is Change.CHANGED:
            continue
        counts[each.change] += 1
        if each.change is not Change.DELETED and len(present) < _INODES_LIMIT:
            present.append(each.inode)
    names = _names(runner, path, present)
    folders: Counter[bytes] = Counter(_top_folder(raw) for raw in names.values())
    return ChangedFiles(
        new=counts[Change.NEW],
        changed=counts[Change.CHANGED],
        deleted=counts[Change.DELETED],
        by_folder=tuple((clean(raw), count) for raw, count in folders.most_common()),
        names=tuple(sorted(clean(raw) for raw in names.values())[:_SAMPLE]),
        unnamed=counts[Change.NEW] + counts[Change.CHANGED] - len(names),
    )


def _top_folder(raw: bytes) -> bytes:
    head, slash, _ = raw[1:].partition(b"/")
    return b"/" + head if slash else b"/"


def _ask(
    runner: Runner,
    path: Path,
    request: str,
    limit: int = _ANSWER_LIMIT,
    *,
    part_will_do: bool = False,
) -> bytes:
    """The answer of debugfs to one request, at most `limit` bytes of it.

    `part_will_do`: what comes before a complaint is of use.
    """
    # -c reads no bitmaps, and with -n a checksum that does not fit is no obstacle: damaged file
    # systems are looked at, too. It never writes without -w.
    command = ["debugfs", "-c", "-n", "-R", request, str(path)]
    room = max(limit, _COMPLAINTS_LIMIT)
    finished = runner.run(command, timeout=_LOOK_SECONDS, ok=_ANY_CODE, limit=room)
    complaints = debugfs.errors(finished.stderr)
    if finished.returncode and not finished.truncated and not complaints:
        complaints = (f"debugfs ended with {finished.returncode}",)
    if complaints and not (part_will_do and finished.stdout):
        raise UnreadableError(
            f"{clean(path.name)} cannot be looked into: {complaints[0]}.", "Nothing was changed."
        )
    return finished.stdout[:limit]
