"""Sizes as a person types them: "512M", "1.5G"."""

import re

_UNITS = {"M": 1 << 20, "G": 1 << 30, "T": 1 << 40}
_PATTERN = re.compile(r"(\d{1,6})(?:\.(\d{1,3}))?\s*([MGT])(?:i?B)?", re.IGNORECASE | re.ASCII)

EXAMPLES = "512M or 1.5G"


def parse(text: str) -> int | None:
    """The bytes that `text` means, in binary units; None for anything but an amount above 0."""
    match = _PATTERN.fullmatch(text.strip())
    if match is None:
        return None
    whole, part, unit = match.groups()
    factor = _UNITS[unit.upper()]
    # Whole numbers: 1.1 has no exact double.
    extra = int(part) * factor // 10 ** len(part) if part else 0
    return int(whole) * factor + extra or None


def text_of(number: int) -> str:
    """An amount as it would be typed, in whole units, rounded down: "64M", "2G"."""
    for unit in ("G", "M"):
        if number % _UNITS[unit] == 0:
            return f"{number // _UNITS[unit]}{unit}"
    return f"{number // _UNITS['M']}M"
