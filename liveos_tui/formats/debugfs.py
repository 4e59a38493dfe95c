r"""What debugfs prints: folders (`ls -p`), names of inodes (`ncheck`), its errors.

Formats: debugfs/ls.c and debugfs/ncheck.c of e2fsprogs. Names are printed as they are, so one may
hold a line break; none may hold a slash. debugfs ends with 0 whatever happened: `errors` finds
what it has to say on standard error.
"""

import re
from dataclasses import dataclass
from enum import StrEnum

from liveos_tui.errors import FormatError
from liveos_tui.formats.text import clean

_ENTRY = re.compile(rb"/(\d{1,10})/(\d{6})/-?\d{1,10}/-?\d{1,10}/([^/\0]{1,255})/(\d{0,20})/\n")
_NAME = re.compile(rb"(\d{1,10})\t((?:/|<\d{1,10}>/)[^\0]*)", re.DOTALL)
_VERSION = re.compile(r"debugfs \d\S* \(\d")
# It is said of a file system that is looked at without its bitmaps, as `-c` asks for.
_HARMLESS = re.compile(r"catastrophic mode - not reading inode or group bitmaps")
_PATH_LIMIT = 4096


class InodeKind(StrEnum):
    """What an inode is."""

    FILE = "file"
    FOLDER = "folder"
    LINK = "link"
    OTHER = "other"


_KINDS = {0o100000: InodeKind.FILE, 0o040000: InodeKind.FOLDER, 0o120000: InodeKind.LINK}


def kind_of_mode(mode: int) -> InodeKind:
    """The kind that the upper bits of an inode's mode say."""
    return _KINDS.get(mode & 0o170000, InodeKind.OTHER)


@dataclass(frozen=True, slots=True)
class Entry:
    """A name in a folder. `raw` is as the file system has it, `name` harmless.

    `size_bytes` is None for a folder.
    """

    inode: int
    kind: InodeKind
    raw: bytes
    name: str
    size_bytes: int | None


def parse_folder(output: bytes) -> tuple[Entry, ...]:
    """The entries that `ls -p` lists, without `.` and `..` and without places that are free."""
    return tuple(
        Entry(
            int(inode),
            kind_of_mode(int(mode, 8)) if _octal(mode) else InodeKind.OTHER,
            raw,
            clean(raw),
            int(size) if size else None,
        )
        for inode, mode, raw, size in _ENTRY.findall(output)
        if int(inode) and raw not in {b".", b".."}
    )


def _octal(digits: bytes) -> bool:
    return not set(digits) & set(b"89")


def parse_names(output: bytes) -> dict[int, bytes]:
    """The path that `ncheck` gives for each inode, as it is; the first where there are several.

    A path begins with "/", or with "<INODE>/" where the folder itself has no name.
    """
    found: dict[int, bytes] = {}
    inode, path = 0, b""
    # A line without a number at its start goes on with a name that holds a line break.
    for line in output.split(b"\n")[1:]:
        if match := _NAME.fullmatch(line):
            _keep(found, inode, path)
            inode, path = int(match[1]), match[2]
        elif inode and line and len(path) < _PATH_LIMIT:
            path += b"\n" + line
    _keep(found, inode, path)
    return found


def _keep(found: dict[int, bytes], inode: int, path: bytes) -> None:
    if inode:
        # What lies in the root folder comes with two slashes.
        found.setdefault(inode, path[1:] if path.startswith(b"//") else path)


def errors(stderr: bytes) -> tuple[str, ...]:
    """What debugfs complains of, line by line, harmless: its version and its notes are left out."""
    lines = (clean(line.strip()) for line in stderr.splitlines())
    return tuple(
        line for line in lines if line and not _VERSION.match(line) and not _HARMLESS.search(line)
    )


def quoted(path: str) -> str:
    """A path as one word of a request (`debugfs -R`). Raises FormatError for one that cannot be."""
    if "\n" in path or "\0" in path or not path.startswith("/"):
        raise FormatError(f"debugfs cannot be asked for {clean(path)}.", "Nothing was changed.")
    return '"' + path.replace('"', '""') + '"'
