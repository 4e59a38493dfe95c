r"""Lines of `dmsetup status` and `dmsetup table`, to values and back.

A line is `START LENGTH TARGET PARAMETERS`, in sectors of 512 bytes, with `NAME: ` before it where
dmsetup tells of more than one device (man dmsetup). The parameters are the target's own: the
`*_status` functions of dm-snap.c, dm-snap-persistent.c, dm-raid1.c, dm-log.c and dm-linear.c.

A target that is not described here, and parameters that are not as described, are kept as text
(`OtherStatus`, `OtherTable`): a machine has devices that are none of our business, and one of
them must not hide the rest. Only a line that is no line of dmsetup at all is a `FormatError`.
Names keep the form that dmsetup prints them in, where unusual characters are `\xNN` already.
"""

import re
from dataclasses import dataclass

from liveos_tui.errors import FormatError
from liveos_tui.formats.dmtargets import (
    DeviceStatus,
    DeviceTable,
    LinearTable,
    MirrorLeg,
    MirrorStatus,
    MirrorTable,
    NoStatus,
    OtherStatus,
    OtherTable,
    Persistence,
    SnapshotIll,
    SnapshotOriginTable,
    SnapshotStatus,
    SnapshotTable,
    StatusLine,
    TableLine,
    TargetStatus,
    TargetTable,
)
from liveos_tui.formats.text import clean

__all__ = [
    "DeviceStatus",
    "DeviceTable",
    "LinearTable",
    "MirrorLeg",
    "MirrorStatus",
    "MirrorTable",
    "NoStatus",
    "OtherStatus",
    "OtherTable",
    "Persistence",
    "SnapshotIll",
    "SnapshotOriginTable",
    "SnapshotStatus",
    "SnapshotTable",
    "StatusLine",
    "TableLine",
    "TargetStatus",
    "TargetTable",
    "parse_status",
    "parse_table",
]

_LINE = re.compile(
    r"(?:(?P<name>.{1,512}?): )??(?P<start>[0-9]{1,20}) (?P<length>[0-9]{1,20}) "
    r"(?P<target>[a-z][^ ]{0,31})(?: (?P<parameters>.*))?"
)
_NO_TABLE = re.compile(r"(?P<name>.{1,512}): ?")
_NUMBER = re.compile(r"[0-9]{1,20}")
_FRACTION = re.compile(r"([0-9]{1,20})/([0-9]{1,20})")
_NO_DEVICES = "No devices found"
_PARAMETERS_LIMIT = 4096
_LINE_LIMIT = 65536


@dataclass(frozen=True, slots=True)
class _RawLine:
    start: int
    length: int
    target: str
    parameters: str


def parse_status(text: str) -> tuple[DeviceStatus, ...]:
    """Read the output of `dmsetup status`, for one device or for all.

    Raises FormatError when a line is none of dmsetup's.
    """
    return tuple(
        DeviceStatus(
            name,
            tuple(
                StatusLine(raw.start, raw.length, raw.target, _status(raw.target, raw.parameters))
                for raw in lines
            ),
        )
        for name, lines in _devices(text)
    )


def parse_table(text: str) -> tuple[DeviceTable, ...]:
    """Read the output of `dmsetup table`, for one device or for all.

    Raises FormatError when a line is none of dmsetup's.
    """
    return tuple(
        DeviceTable(
            name,
            tuple(
                TableLine(raw.start, raw.length, _table(raw.target, raw.parameters))
                for raw in lines
            ),
        )
        for name, lines in _devices(text)
    )


def _devices(text: str) -> list[tuple[str | None, list[_RawLine]]]:
    """Lines by device, in the order in which dmsetup names them."""
    found: dict[str | None, list[_RawLine]] = {}
    for number, line in enumerate(text.split("\n"), 1):
        if line.strip() in {"", _NO_DEVICES}:
            continue
        if len(line) > _LINE_LIMIT:
            raise FormatError(f"Line {number} of dmsetup's answer is longer than any table.")
        if match := _LINE.fullmatch(line):
            raw = _RawLine(
                int(match["start"]),
                int(match["length"]),
                clean(match["target"]),
                clean((match["parameters"] or "").rstrip(" "), _PARAMETERS_LIMIT),
            )
            found.setdefault(_name(match), []).append(raw)
        elif match := _NO_TABLE.fullmatch(line):
            found.setdefault(_name(match), [])
        else:
            raise FormatError(
                f"Line {number} of dmsetup's answer is not understood: {clean(line, 80)}",
                "Nothing was changed. Please send a `liveos-tui report`.",
            )
    return list(found.items())


def _name(match: re.Match[str]) -> str | None:
    return None if match["name"] is None else clean(match["name"], 512)


def _status(target: str, parameters: str) -> TargetStatus:
    words = parameters.split(" ")
    match target:
        case "snapshot" | "snapshot-merge":
            if parameters in set(SnapshotIll):
                return SnapshotIll(parameters)
            used = _FRACTION.fullmatch(words[0])
            if used and len(words) == 2 and _NUMBER.fullmatch(words[1]):
                return SnapshotStatus(int(used[1]), int(used[2]), int(words[1]))
        case "mirror":
            return _mirror_status(words) or OtherStatus(parameters)
        case _:
            if not parameters:
                return NoStatus()
    return OtherStatus(parameters)


def _mirror_status(words: list[str]) -> MirrorStatus | None:
    count = _count(words, 0)
    if count is None or len(words) < count + 5:
        return None
    devices, (done, one, health, log_count, *log) = words[1 : count + 1], words[count + 1 :]
    copied = _FRACTION.fullmatch(done)
    if not copied or one != "1" or len(health) != count or log_count != str(len(log)):
        return None
    return MirrorStatus(tuple(devices), int(copied[1]), int(copied[2]), health, " ".join(log))


def _table(target: str, parameters: str) -> TargetTable:
    words = parameters.split(" ") if parameters else []
    known: TargetTable | None = None
    match target, words:
        case "snapshot" | "snapshot-merge", [origin, cow, "P" | "PO" | "N" as kind, chunk, *rest]:
            features = _features(rest)
            if _NUMBER.fullmatch(chunk) and features is not None:
                merging = target == "snapshot-merge"
                known = SnapshotTable(origin, cow, kind, int(chunk), features, merging)
        case "snapshot-origin", [origin]:
            known = SnapshotOriginTable(origin)
        case "linear", [device, offset] if _NUMBER.fullmatch(offset):
            known = LinearTable(device, int(offset))
        case "mirror", [log, *rest]:
            known = _mirror_table(log, rest)
    # What is written back must be what was read; anything else stays text.
    return known if known and str(known) == parameters else OtherTable(target, parameters)


def _mirror_table(log: str, words: list[str]) -> MirrorTable | None:
    argument_count = _count(words, 0)
    if argument_count is None:
        return None
    arguments, words = words[1 : argument_count + 1], words[argument_count + 1 :]
    leg_count = _count(words, 0)
    if leg_count is None:
        return None
    places, rest = words[1 : 2 * leg_count + 1], words[2 * leg_count + 1 :]
    features = _features(rest)
    offsets = places[1::2]
    if features is None or not all(_NUMBER.fullmatch(offset) for offset in offsets):
        return None
    legs = tuple(MirrorLeg(d, int(o)) for d, o in zip(places[::2], offsets, strict=False))
    return MirrorTable(legs, tuple(arguments), log, features)


def _features(words: list[str]) -> tuple[str, ...] | None:
    """Feature arguments after their count; None when the count is not theirs."""
    if not words:
        return ()
    return tuple(words[1:]) if words[0] == str(len(words) - 1) and len(words) > 1 else None


def _count(words: list[str], place: int) -> int | None:
    """The small number at a place, which says how many words follow."""
    text = words[place] if place < len(words) else ""
    return int(text) if _NUMBER.fullmatch(text) and len(text) <= 3 else None
