"""What debugfs 1.47 prints, and what of it is an error."""

import pytest

from liveos_tui.errors import FormatError
from liveos_tui.formats.debugfs import (
    Entry,
    InodeKind,
    errors,
    parse_folder,
    parse_names,
    quoted,
)

FOLDER = b"""\
/2/040755/0/0/.//
/2/040755/0/0/..//
/11/040700/0/0/lost+found//
/12/100644/1000/1000/notes.txt/91/
/0/000000/0/0/gone/0/
/13/120777/0/0/sh/4/
/14/010644/0/0/pipe/0/

"""


def test_a_folder() -> None:
    assert parse_folder(FOLDER) == (
        Entry(11, InodeKind.FOLDER, b"lost+found", "lost+found", None),
        Entry(12, InodeKind.FILE, b"notes.txt", "notes.txt", 91),
        Entry(13, InodeKind.LINK, b"sh", "sh", 4),
        Entry(14, InodeKind.OTHER, b"pipe", "pipe", 0),
    )


def test_a_name_with_a_line_break_is_one_name() -> None:
    (entry,) = parse_folder(b"/12/100644/0/0/two\nlines/3/\n\n")
    assert (entry.raw, entry.name) == (b"two\nlines", r"two\nlines")


def test_a_name_cannot_reach_the_terminal() -> None:
    (entry,) = parse_folder(b"/12/100644/0/0/\x1b[2J\xff/3/\n")
    assert entry.name == r"\x1b[2J\xff"


def test_names_of_inodes() -> None:
    output = b"Inode\tPathname\n12\t//notes.txt\n15\t/home/a\tb\n15\t/home/again\n16\t<14>/lost\n"
    assert parse_names(output) == {12: b"/notes.txt", 15: b"/home/a\tb", 16: b"<14>/lost"}


def test_the_name_of_an_inode_may_hold_a_line_break() -> None:
    assert parse_names(b"Inode\tPathname\n12\t/home/two\nlines\n13\t/x\n") == {
        12: b"/home/two\nlines",
        13: b"/x",
    }


@pytest.mark.parametrize("output", [b"", b"Inode\tPathname\n", b"nonsense"])
def test_no_names(output: bytes) -> None:
    assert parse_names(output) == {}


def test_the_version_and_notes_are_no_errors() -> None:
    stderr = (
        b"debugfs 1.47.0 (5-Feb-2023)\n"
        b"stick.img: catastrophic mode - not reading inode or group bitmaps\n"
    )
    assert errors(stderr) == ()
    assert errors(stderr + b"/x: File not found by ext2_lookup \n") == (
        "/x: File not found by ext2_lookup",
    )


@pytest.mark.parametrize(
    ("path", "word"),
    [("/etc", '"/etc"'), ("/a b", '"/a b"'), ('/a"b', '"/a""b"')],
)
def test_a_path_is_one_word(path: str, word: str) -> None:
    assert quoted(path) == word


@pytest.mark.parametrize("path", ["etc", "", "<12>", "/a\nb"])
def test_what_is_no_absolute_path_or_holds_a_line_break_is_refused(path: str) -> None:
    with pytest.raises(FormatError):
        quoted(path)
