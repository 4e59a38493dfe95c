"""What e2fsck tells: its exit code, its progress, and the problems that it met.

Exit codes are in `man 8 e2fsck`; progress lines come from e2fsck/unix.c (e2fsck_update_progress),
messages and their answers from e2fsck/problem.c. Read as 1.47 writes them in English (`LC_ALL=C`);
a line that is not known is passed over.
"""

import re
from collections import Counter
from dataclasses import dataclass
from enum import IntFlag, StrEnum

from liveos_tui.formats.lines import LineSplitter
from liveos_tui.formats.text import clean


class FsckExit(IntFlag):
    """The exit code of e2fsck: bits that add up, 0 for a sound file system."""

    FIXED = 1
    """Errors were repaired. Replaying the journal alone is none."""
    REBOOT = 2
    """The file system is in use, and the system has to start again."""
    LEFT = 4
    """Errors are left, or would be there to repair (`-n`)."""
    OPERATIONAL = 8
    """e2fsck could not go on: no such device, no room, a read or write that failed."""
    USAGE = 16
    CANCELLED = 32
    LIBRARY = 128


_SENTENCES = {
    FsckExit.FIXED: "e2fsck repaired the file system.",
    FsckExit.REBOOT: "The file system is in use: the system has to be started again.",
    FsckExit.LEFT: "Errors are left in the file system.",
    FsckExit.OPERATIONAL: "e2fsck could not go on.",
    FsckExit.USAGE: "e2fsck did not understand how it was called.",
    FsckExit.CANCELLED: "e2fsck was cancelled.",
    FsckExit.LIBRARY: "e2fsck could not load a library.",
}


def exit_words(code: FsckExit) -> str:
    """What an exit code says, in sentences, the worst last."""
    if not code:
        return "e2fsck found nothing wrong."
    words = [sentence for bit, sentence in _SENTENCES.items() if bit & code]
    return " ".join(words) or f"e2fsck ended with {int(code)}."


# e2fsck_tbl of e2fsck/unix.c: how much of the whole is behind it at the end of each pass.
_WEIGHTS = (0, 70, 90, 92, 95, 100)
_PASSES = (
    "",
    "inodes, blocks and sizes",
    "folder structure",
    "folder connections",
    "reference counts",
    "group summaries",
)
_PROGRESS = re.compile(rb"(\d{1,2}) (\d{1,20}) (\d{1,20}) ")
# e2fsck writes a line from a buffer of this size.
_PROGRESS_LINE_BYTES = 1024


@dataclass(frozen=True, slots=True)
class FsckProgressEvent:
    """How far a check is. `pass_number` is 1 to 5, `name` says what that pass looks at.

    `fraction` is 0.0 to 1.0 of all five, weighed as e2fsck weighs them. It falls back when e2fsck
    begins again from the first pass, which some repairs ask for.
    """

    pass_number: int
    name: str
    current: int
    total: int
    fraction: float


class FsckProgress:
    """Reads the lines `PASS CURRENT MAX DEVICE` that `e2fsck -C FD` writes."""

    def __init__(self) -> None:
        self._lines = LineSplitter(_PROGRESS_LINE_BYTES)

    def feed(self, data: bytes) -> list[FsckProgressEvent]:
        """The events of the lines that are complete now."""
        return _progress_events(self._lines.feed(data))

    def close(self) -> list[FsckProgressEvent]:
        """The event of a last line without an end, if it can be read."""
        return _progress_events(self._lines.close())


def _progress_events(lines: list[bytes]) -> list[FsckProgressEvent]:
    return [event for event in map(_progress_event, lines) if event]


def _progress_event(line: bytes) -> FsckProgressEvent | None:
    match = _PROGRESS.match(line)
    if match is None:
        return None
    number, current, total = (int(group) for group in match.groups())
    if not 1 <= number < len(_WEIGHTS):
        return None
    before, after = _WEIGHTS[number - 1], _WEIGHTS[number]
    done = min(current / total, 1.0) if total else 1.0
    fraction = (before + (after - before) * done) / 100
    return FsckProgressEvent(number, _PASSES[number], current, total, fraction)


class Problem(StrEnum):
    """A kind of problem, in words that stand after a number: "3 for wrong link counts"."""

    COUNTS = "wrong counts of free blocks or inodes"
    BITMAPS = "wrong bitmaps of used blocks or inodes"
    ORPHANS = "files deleted while they were open"
    LOST_FOUND = "files without a name (kept in lost+found)"
    CLEARED = "inodes that are no file any more"
    ENTRIES = "names that lead to no file"
    FOLDERS = "damaged folders (a single one may need four)"
    LINKS = "wrong link counts"
    CONTENTS = "wrong sizes or blocks of files"
    SHARED = "files that claim the same blocks"
    ATTRIBUTES = "damaged extended attributes"
    CHECKSUMS = "wrong checksums"
    SUPERBLOCK = "damaged fields of the superblock or of group descriptors"
    JOURNAL = "a damaged journal"
    UNREADABLE = "blocks that could not be read or written"
    OTHER = "other problems"


# In this order: the first that fits. Tried on the question and on the text before it.
_KINDS = tuple(
    (re.compile(pattern, re.MULTILINE), kind)
    for pattern, kind in (
        (r"^Error (reading|writing) block|Force rewrite\?", Problem.UNREADABLE),
        (r"Connect to /lost\+found", Problem.LOST_FOUND),
        (r"orphan", Problem.ORPHANS),
        (r"multiply-claimed|ile \S.* \(inode #\d+, mod time", Problem.SHARED),
        (r"^(Free|Directories) .*count wrong|^Setting free ", Problem.COUNTS),
        (r"bitmap differences|Padding at end of|is marked (BLOCK|INODE)_UNINIT", Problem.BITMAPS),
        (r"[Cc]ould be (shorter|narrower)|tree could be more shallow", Problem.CONTENTS),
        (r"[Cc]hecksum", Problem.CHECKSUMS),
        (r"ref count", Problem.LINKS),
        (r"[Jj]ournal", Problem.JOURNAL),
        (r"[Ee]xtended attribute|refcount", Problem.ATTRIBUTES),
        (r"^Entry '|Duplicate entry", Problem.ENTRIES),
        (r"Clear inode\?|^Unattached zero-length inode|seems to contain garbage", Problem.CLEARED),
        (r"has dtime set|zero dtime", Problem.CLEARED),
        (r"[Dd]irectory|HTREE|htree|'\.\.?' |'\.\.' in |lost\+found", Problem.FOLDERS),
        (r"^[Ss]uperblock|[Gg]roup descriptor|inode table|[Rr]esize", Problem.SUPERBLOCK),
        (r"i_size|i_blocks|extent|[Ii]llegal|too big", Problem.CONTENTS),
        (r"^Inode \d+", Problem.CONTENTS),
    )
)
_ANSWERED = re.compile(r"\? (yes|no)$")
# What stands for the answer where a question was answered for a whole row of problems at once.
_DONE = (
    "FIXED|CLEARED|RELOCATED|ALLOCATED|EXPANDED|RECONNECTED|CREATED|SALVAGED|TRUNCATED|"
    "INODE CLEARED|SPLIT|MULTIPLY-CLAIMED BLOCKS CLONED|FILE DELETED|UNLINKED|"
    "HTREE INDEX CLEARED|WILL RECREATE|WILL OPTIMIZE|FLAG CLEARED"
)
_STATED = re.compile(rf"(?:^|[ .)])({_DONE}|IGNORED)\.$")
_UNASKED = re.compile(r"^(Clearing|Truncating) orphaned inode |^Setting free (inodes|blocks) count")
# It begins with the name by which it was called.
_OWN = re.compile(r"(?:/\S*/)?e2fsck: (.+)")
_PASS = re.compile(r"^Pass \d[A-Z]?: ")
_FIGURES = re.compile(
    r": (?:clean, )?(\d{1,20})/(\d{1,20}) files.*, (\d{1,20})/(\d{1,20}) blocks\b"
)
# Of the text before a question so much is kept to tell its kind, and so many last lines.
_TEXT_LIMIT = 2000
_LAST_LINES = 8
_LINE_BYTES = 4096
# Blanks, and what e2fsck puts around a progress bar.
_AROUND = b" \t\r\1\2"


@dataclass(frozen=True, slots=True)
class FsckSummary:
    """What a run of e2fsck came to.

    `fixed` and `left` count problems that were answered with yes and with no; `kinds` how often
    each kind was met, in the order of `Problem`. `journal_replayed` and `journal_skipped` say what
    became of the journal (`-n` skips it: what follows then says little). `modified`: the file
    system was changed. `restarted`: e2fsck began again. `files` and `blocks` are (used, total) as
    its last line has them, None where there was none. `last_lines` are its last words, harmless.
    """

    fixed: int = 0
    left: int = 0
    kinds: tuple[tuple[Problem, int], ...] = ()
    journal_replayed: bool = False
    journal_skipped: bool = False
    modified: bool = False
    restarted: bool = False
    files: tuple[int, int] | None = None
    blocks: tuple[int, int] | None = None
    last_lines: tuple[str, ...] = ()

    @property
    def lost_files(self) -> int:
        """Files that have lost their names: they lie in lost+found, or would."""
        return dict(self.kinds).get(Problem.LOST_FOUND, 0)

    @property
    def last_words(self) -> str:
        """Why it could not go on, in e2fsck's own words; its very last ones where it says none."""
        own = [match[1] for line in self.last_lines if (match := _OWN.match(line))]
        telling = [line for line in own if line != "Cannot proceed with file system check"]
        return (telling or own or [*self.last_lines] or ["it said nothing"])[-1]

    def sentences(self) -> tuple[str, ...]:
        """What was met, in sentences."""
        words = []
        if self.journal_replayed:
            words.append("The journal was replayed.")
        if self.journal_skipped:
            words.append("The journal was left out: what is in it was not looked at.")
        if self.kinds:
            what = "Repairs" if self.fixed else "Problems"
            # Questions that e2fsck has answered.
            kinds = "; ".join(f"{count} for {kind}" for kind, count in self.kinds)
            words.append(f"{what}: {kinds}.")
        return tuple(words)


class FsckMessages:
    """Reads what e2fsck prints: lines for people, and a summary in bounded memory."""

    def __init__(self) -> None:
        self._lines = LineSplitter(_LINE_BYTES)
        self._text = ""
        self._counts: Counter[Problem] = Counter()
        self._fixed = self._left = 0
        self._replayed = self._skipped = self._modified = self._restarted = False
        self._figures: tuple[tuple[int, int], tuple[int, int]] | None = None
        self._last: list[str] = []

    def feed(self, data: bytes) -> list[str]:
        """The lines that are complete now, made harmless; empty ones left out."""
        return self._read(self._lines.feed(data))

    def close(self) -> list[str]:
        """A last line without an end."""
        return self._read(self._lines.close())

    def summary(self) -> FsckSummary:
        """What the lines so far came to."""
        files, blocks = self._figures or (None, None)
        return FsckSummary(
            fixed=self._fixed,
            left=self._left,
            kinds=tuple((kind, self._counts[kind]) for kind in Problem if self._counts[kind]),
            journal_replayed=self._replayed,
            journal_skipped=self._skipped,
            modified=self._modified,
            restarted=self._restarted,
            files=files,
            blocks=blocks,
            last_lines=tuple(self._last),
        )

    def _read(self, lines: list[bytes]) -> list[str]:
        told = []
        for raw in lines:
            if line := clean(raw.strip(_AROUND)):
                told.append(line)
                self._last = [*self._last, line][-_LAST_LINES:]
                self._understand(line)
            else:
                # One empty line follows each answer.
                self._text = ""
        return told

    def _understand(self, line: str) -> None:
        if _PASS.match(line):
            self._text = ""
        elif line.endswith(": recovering journal"):
            self._replayed = True
        elif "skipping journal recovery" in line:
            self._skipped = True
        elif line.endswith("FILE SYSTEM WAS MODIFIED *****"):
            self._modified = True
        elif line.startswith("Restarting e2fsck from the beginning"):
            self._restarted = True
            self._text = ""
        elif figures := _FIGURES.search(line):
            used, files, taken, blocks = (int(group) for group in figures.groups())
            self._figures = ((used, files), (taken, blocks))
        elif answer := _ANSWERED.search(line) or _STATED.search(line):
            self._count(line, yes=answer[1] not in {"no", "IGNORED"})
        elif _UNASKED.match(line):
            self._count(line, yes=True)
        else:
            self._text = f"{self._text}\n{line}"[-_TEXT_LIMIT:]

    def _count(self, line: str, *, yes: bool) -> None:
        text = f"{self._text}\n{line}".strip()
        self._text = ""
        self._counts[_kind(text)] += 1
        if yes:
            self._fixed += 1
        else:
            self._left += 1


def _kind(text: str) -> Problem:
    for pattern, kind in _KINDS:
        if pattern.search(text):
            return kind
    return Problem.OTHER
