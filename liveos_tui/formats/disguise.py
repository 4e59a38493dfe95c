"""Personal data in a text, put out of sight: the same thing by the same word throughout.

A report of an error is read by strangers. What it must not hold is known in two ways: words that
this machine knows itself (its name, its users, labels and serial numbers), and what looks like
something that is nobody's business: UUIDs, addresses, paths below a home.
"""

import re
from collections.abc import Iterable, Mapping
from enum import StrEnum


class Personal(StrEnum):
    """What a word stands for. The value is what stands in its place: "<label-1>"."""

    HOST = "host"
    USER = "user"
    LABEL = "label"
    UUID = "uuid"
    SERIAL = "serial"
    FOLDER = "folder"
    NAME = "name"
    ADDRESS = "address"


Known = Mapping[Personal, Iterable[str]]
"""Words of this machine that are personal."""

# Names of machines and users that every live system gives: they are nobody's.
_GENERIC = frozenset({
    "debian", "fedora", "live", "liveos", "liveuser", "localhost", "localhost-live", "root",
    "ubuntu", "user",
})  # fmt: skip
# Labels that are words of a live system itself: without them nobody could read the report.
_STRUCTURE = frozenset({"home", "liveos", "overlay", "rootfs", "squashfs"})
# A label or a serial number is written in one way; a person's name is not.
_EXACT = frozenset({Personal.LABEL, Personal.SERIAL, Personal.FOLDER})
_LEAST_SERIAL = 4
_UUID_BEGINS = r"(?:[0-9A-F]{4}-[0-9A-F]|[0-9a-f]{8}-|\d{4}-\d\d-)"
_LOOKS: tuple[tuple[Personal, str], ...] = (
    # To the end of the line: a file's name may hold blanks, commas and quotes.
    (Personal.FOLDER, r"(?<![\w.])/?(?:var/)?home/.*"),
    (Personal.FOLDER, r"(?<![\w.])/root/.*"),
    (Personal.FOLDER, r"(?<![\w.])/(?:run/)?media/.*"),
    (Personal.FOLDER, r"(?<![\w.])/run/user/\d+[^\s,;:]*"),
    # An overlay's name tells the label of its stick (dracut: overlay-LABEL-UUID).
    (Personal.LABEL, rf"(?<=\boverlay-)[^/\n]+?(?=-{_UUID_BEGINS})"),
    (Personal.NAME, r"(?<=/dev/disk/by-)[a-z]+/[^\s,;]+"),
    (Personal.NAME, r"(?i:(?<=LABEL=)|(?<=UUID=))[^\s,;:<]+"),
    (Personal.ADDRESS, r"(?<=://)[^\s]+"),
    (Personal.ADDRESS, r"(?<![\w.+-])[\w.+-]{1,64}@[\w.-]+"),
    (Personal.ADDRESS, r"(?<![0-9A-Fa-f:-])(?:[0-9A-Fa-f]{2}[:-]){5}[0-9A-Fa-f]{2}(?![0-9A-Fa-f])"),
    (Personal.ADDRESS, r"(?<![\d.])(?:\d{1,3}\.){3}\d{1,3}(?![\d.])"),
    (Personal.ADDRESS, r"(?<![\w:])(?:[0-9A-Fa-f]{1,4}:){7}[0-9A-Fa-f]{1,4}(?![\w:])"),
    (Personal.ADDRESS, r"(?<![\w:])[0-9A-Fa-f]{1,4}(?::[0-9A-Fa-f]{1,4}){0,6}::[0-9A-Fa-f:]*"),
    (Personal.UUID, r"(?<![0-9A-Za-z])[0-9A-Fa-f]{8}(?:-[0-9A-Fa-f]{4}){3}-[0-9A-Fa-f]{12}"),
    (Personal.UUID, r"(?<![0-9A-Za-z])[0-9A-F]{4}-[0-9A-F]{4}(?![0-9A-Za-z])"),
    # A machine's id, a boot's id, an NTFS serial number.
    (Personal.UUID, r"(?<![0-9A-Za-z.])(?:[0-9A-Fa-f]{32}|[0-9A-F]{16})(?![0-9A-Za-z])"),
)  # fmt: skip


class Disguise:
    """Replaces personal data in texts. The numbers are given in the order of `known`."""

    def __init__(self, known: Known) -> None:
        self._names: dict[str, str] = {}
        self._counts: dict[Personal, int] = {}
        words: dict[Personal, list[str]] = {}
        for kind, given in known.items():
            words[kind] = [word for word in dict.fromkeys(given) if _is_personal(kind, word)]
            for word in words[kind]:
                self._name(kind, word)
        # One pass, so that what stands in a place is never replaced itself. Of two words that
        # begin at one place the longer is meant.
        listed = [(word, kind) for kind, group in words.items() for word in group]
        listed.sort(key=lambda each: -len(each[0]))
        patterns = [(kind, _pattern(kind, word)) for word, kind in listed]
        self._kinds = {f"g{number}": kind for number, (kind, _) in enumerate((*patterns, *_LOOKS))}
        self._all = re.compile(
            "|".join(
                f"(?P<g{number}>{pattern})"
                for number, (_, pattern) in enumerate((*patterns, *_LOOKS))
            )
        )

    def __call__(self, text: str) -> str:
        """The text without what is personal."""
        return self._all.sub(self._replaced, text)

    def _replaced(self, match: re.Match[str]) -> str:
        return self._name(self._kinds[match.lastgroup or ""], match[0])

    def _name(self, kind: Personal, word: str) -> str:
        key = word if kind in _EXACT else word.casefold()
        if key not in self._names:
            self._counts[kind] = self._counts.get(kind, 0) + 1
            self._names[key] = f"<{kind}-{self._counts[kind]}>"
        return self._names[key]


def _is_personal(kind: Personal, word: str) -> bool:
    if kind in {Personal.HOST, Personal.USER} and word.casefold() in _GENERIC:
        return False
    if kind is Personal.LABEL and word.casefold() in _STRUCTURE:
        return False
    # A virtual disk's serial number may be "1".
    return len(word.strip()) >= (_LEAST_SERIAL if kind is Personal.SERIAL else 1)


def _pattern(kind: Personal, word: str) -> str:
    found = re.escape(word)
    if kind not in _EXACT:
        found = f"(?i:{found})"
    # Whole words only: a stick called LIVE leaves LiveOS readable.
    before = r"(?<![0-9A-Za-z])" if word[0].isalnum() else ""
    after = r"(?![0-9A-Za-z])" if word[-1].isalnum() else ""
    return f"{before}{found}{after}"
