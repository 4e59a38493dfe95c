"""Untrusted text made harmless: the one `clean` that everything from outside passes."""

import shlex
import unicodedata

DEFAULT_LIMIT = 200
# linux/limits.h
_PATH_LIMIT = 4096

# A character of UTF-8 is at most this many bytes.
_WIDEST = 4

# Printable for Python, and yet nothing to be seen: fillers and selectors that fonts leave out
# (Unicode's Default_Ignorable_Code_Point, as far as its characters are letters or marks), and the
# blank braille cell. Two names that differ in them alone look alike.
_INVISIBLE = frozenset(
    {0x034F, 0x115F, 0x1160, 0x17B4, 0x17B5, 0x2800, 0x3164, 0xFFA0}
    | set(range(0x180B, 0x1810))
    | set(range(0xFE00, 0xFE10))
    | set(range(0xE0100, 0xE01F0))
)

# Marks that are drawn over the character before them; many in a row climb into other lines.
_MARKS_IN_A_ROW = 2


def shell_word(path: str) -> str:
    """A path as it is typed in a command: quoted, whole, and harmless to look at."""
    return shlex.quote(clean(path, _PATH_LIMIT))


def clean(value: str | bytes, limit: int = DEFAULT_LIMIT) -> str:
    r"""Return `value` with every harmful character as a visible escape, at most `limit` long.

    Harmful is what a terminal may act on or what a reader cannot see: control characters, bidi
    controls, zero width, lone surrogates, private and unassigned characters, line separators,
    blanks other than the space, invisible fillers, heaps of combining marks. Textual hands all of
    them to the terminal as they are. Bytes are read as UTF-8; those that are not become escapes
    too. Markup is text like any other: widgets are given literal text, never markup.

    >>> clean("a\x1b[31mb")
    'a\\x1b[31mb'
    """
    # Bounded before the walk: a hostile name of a gigabyte costs no more than a short one.
    if isinstance(value, bytes):
        text = value[: (limit + 1) * _WIDEST].decode("utf-8", "backslashreplace")[: limit + 1]
    else:
        text = value[: limit + 1]
    out = text if text.isascii() and text.isprintable() else _escaped(text)
    return out if len(out) <= limit else out[: max(0, limit - 3)] + "..."[:limit]


def _escaped(text: str) -> str:
    out = []
    marks = _MARKS_IN_A_ROW  # a mark at the very start has nothing to stand on
    for character in text:
        marks = marks + 1 if unicodedata.category(character) in {"Mn", "Me"} else 0
        harmless = (
            character.isprintable()
            and ord(character) not in _INVISIBLE
            and marks <= _MARKS_IN_A_ROW
        )
        out.append(character if harmless else character.encode("unicode_escape").decode("ascii"))
    return "".join(out)
