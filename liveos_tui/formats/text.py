"""Untrusted text made harmless: the one `clean` that everything from outside passes."""

import unicodedata

DEFAULT_LIMIT = 200

# Categories that a terminal may act on or that a reader cannot see: C0, DEL and C1 (Cc), bidi
# controls and zero width (Cf), lone surrogates (Cs), private use (Co), unassigned (Cn), line and
# paragraph separators (Zl, Zp). Textual hands all of them to the terminal as they are.
_HARMFUL = frozenset({"Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp"})


def clean(value: str | bytes, limit: int = DEFAULT_LIMIT) -> str:
    r"""Return `value` with every harmful character as a visible escape, at most `limit` long.

    Bytes are read as UTF-8; those that are not become escapes too. Markup is text like any other:
    widgets are given literal text, never markup.

    >>> clean("a\x1b[31mb")
    'a\\x1b[31mb'
    """
    text = value.decode("utf-8", "backslashreplace") if isinstance(value, bytes) else value
    # Bounded before the walk: a hostile name of a gigabyte costs no more than a short one.
    text = text[: limit + 1]
    out = "".join(c if c.isascii() and c.isprintable() else _escaped(c) for c in text)
    return out if len(out) <= limit else out[: max(0, limit - 3)] + "..."


def _escaped(character: str) -> str:
    if unicodedata.category(character) in _HARMFUL:
        return character.encode("unicode_escape").decode("ascii")
    return character
