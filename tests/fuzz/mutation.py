"""Inputs for a parser: real ones, damaged. The same chance gives the same inputs."""

import json
import random
from collections.abc import Callable, Iterator, Sequence
from typing import Any

MOST_BYTES = 1 << 16

# What parsers stumble over: controls, C1, bidi, ends of ranges, brackets, numbers without end.
_DELICATE = (
    *(b"\0", b"\n", b"\r", b"\t", b"\x1b[2J", b"\x1b]8;;x\x1b\\", b"\x9b", b"\xc2\x9b", b"\x7f"),
    *(b"\xe2\x80\xae", b"\xed\xa0\x80", b"\xff" * 8, b"\0" * 8, b"\1\0\0\0", b"\xff\xff\xff\x7f"),
    *(b"-1", b"0", b"9" * 20, b"9" * 5000, b"1e999", b"NaN", b"[" * 3000, b"{}", b'"', b"\\"),
    *(b"..", b"/../", b"%", b" ", b",", b":", b"=", b"[link=x]"),
)
_VALUES: tuple[object, ...] = (
    *(None, True, False, 0, -1, 1, 2**31, 2**63, 2**64, 10**400, 0.5, 1e308),
    *(float("inf"), float("nan"), "", "\x1b[2J", "\x9b6n", "../../etc/passwd", "/dev/sda"),
    *("a\0b", "x" * 9000, [], {}, [[]], {"kind": "OpenStick"}, ["a"] * 1001),
)


def damaged(data: bytes, seeds: Sequence[bytes], chance: random.Random) -> bytes:
    """`data` with a few places changed, cut out, repeated, or taken from another of the `seeds`."""
    for _ in range(chance.choice((1, 1, 1, 2, 2, 3, 5, 8))):
        data = chance.choice(_WAYS)(data, seeds, chance)[:MOST_BYTES]
    return data


def damaged_json(data: bytes, seeds: Sequence[bytes], chance: random.Random) -> bytes:
    """As `damaged`, for lines of JSON: most of them stay JSON, with another value somewhere."""
    if chance.random() < 0.2:
        return damaged(data, seeds, chance)
    lines = data.split(b"\n")
    number = chance.randrange(len(lines))
    lines[number] = _other_json(lines[number], chance)
    return b"\n".join(lines)[:MOST_BYTES]


def _other_json(line: bytes, chance: random.Random) -> bytes:
    try:
        document = json.loads(line)
    except (ValueError, RecursionError):
        return line
    for _ in range(chance.choice((1, 1, 1, 2, 3))):
        places = list(_places(document))
        if not places:
            return line
        (inside, key), (other, name) = chance.choice(places), chance.choice(places)
        match chance.randrange(8):
            case 0:
                del inside[key]
            case 1:
                inside[key] = _copied(other[name])
            case _:
                inside[key] = _copied(chance.choice(_VALUES))
    return json.dumps(document).encode()


def _copied(value: object) -> object:
    """Another one like it: a value that is put into itself has no end."""
    return json.loads(json.dumps(value))


def _places(value: Any) -> Iterator[tuple[Any, Any]]:
    """Every value within, by what holds it and its key there."""
    if not isinstance(value, dict | list):
        return
    for key in range(len(value)) if isinstance(value, list) else list(value):
        yield value, key
        yield from _places(value[key])


def _place(data: bytes, chance: random.Random) -> int:
    return chance.randint(0, len(data))


def _changed(data: bytes, _: Sequence[bytes], chance: random.Random) -> bytes:
    at = _place(data, chance)
    new = chance.randbytes(chance.choice((1, 1, 2, 4, 8)))
    return data[:at] + new + data[at + len(new) :]


def _flipped(data: bytes, _: Sequence[bytes], chance: random.Random) -> bytes:
    if not data:
        return data
    at = chance.randrange(len(data))
    return data[:at] + bytes([data[at] ^ 1 << chance.randrange(8)]) + data[at + 1 :]


def _delicate(data: bytes, _: Sequence[bytes], chance: random.Random) -> bytes:
    at, new = _place(data, chance), chance.choice(_DELICATE)
    return data[:at] + new + data[at + chance.choice((0, len(new))) :]


def _cut(data: bytes, _: Sequence[bytes], chance: random.Random) -> bytes:
    first, last = sorted((_place(data, chance), _place(data, chance)))
    return data[:first] + data[last:]


def _ended(data: bytes, _: Sequence[bytes], chance: random.Random) -> bytes:
    return data[: _place(data, chance)]


def _repeated(data: bytes, _: Sequence[bytes], chance: random.Random) -> bytes:
    at = _place(data, chance)
    piece = data[at : at + chance.randint(1, 80)]
    return data[:at] + piece * chance.choice((1, 2, 50)) + data[at:]


def _mixed(data: bytes, seeds: Sequence[bytes], chance: random.Random) -> bytes:
    other = chance.choice(seeds)
    at = _place(other, chance)
    return data[: _place(data, chance)] + other[at : at + chance.randint(1, 400)]


def _other_number(data: bytes, _: Sequence[bytes], chance: random.Random) -> bytes:
    at = _place(data, chance)
    number = chance.choice((0, 1, 2, 0x7F, 0xFF, 0xFFFF, 2**31 - 1, 2**32 - 1, 2**63, 2**64 - 1))
    width = chance.choice((2, 4, 8))
    return data[:at] + number.to_bytes(8, "little")[:width] + data[at + width :]


_WAYS: tuple[Callable[[bytes, Sequence[bytes], random.Random], bytes], ...] = (
    *(_changed, _flipped, _delicate, _cut, _ended, _repeated, _mixed, _other_number),
)
