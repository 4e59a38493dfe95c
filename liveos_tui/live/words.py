"""Sizes, durations and parts as a person says them."""

import humanize

_UNITS = (1024, 1024**2, 1024**3, 1024**4)
_MINUTE, _HOUR, _DAY = 60, 3600, 86400


def size(number: float | None) -> str:
    """Bytes in binary units: "425 MiB", "1.7 GiB", "unknown".

    Rounded down, so that room is never told as more than there is. What is needed is told by
    `need`.
    """
    if number is None:
        return "unknown"
    magnitude = abs(number)
    for unit in _UNITS:
        if magnitude < unit * 1024:
            digits = 0 if magnitude < 1024 or magnitude >= 10 * unit else 1
            floored = int(number / unit * 10**digits) / 10**digits * unit
            return humanize.naturalsize(
                number if magnitude < 1024 else floored, binary=True, format=f"%.{digits}f"
            )
    return humanize.naturalsize(number, binary=True)


def rounded_up(number: int) -> int:
    """The least number of bytes from `number` up that `size` tells as it is."""
    for unit in _UNITS:
        if 1024 <= number < unit * 1024:
            parts = 1 if number >= 10 * unit else 10
            told = number * parts // unit
            exact = -(-told * unit // parts)
            return exact if exact >= number else -(-(told + 1) * unit // parts)
    return number


def need(number: int) -> str:
    """As `size`, for room that is needed or lacking: rounded up, so that it is enough."""
    return size(rounded_up(number))


def amount(number: float | None) -> str:
    """As `size`, for what is left or free: "nothing" where there is none of it."""
    return "nothing" if number == 0 else size(number)


def duration(seconds: float | None) -> str:
    """About how long, in one unit: "less than a minute", "about 17 minutes", "unknown"."""
    if seconds is None:
        return "unknown"
    if seconds < _MINUTE:
        return "less than a minute"
    # Two of a unit before it is used: "about 1 hour" would stand for 119 minutes as well.
    for unit, name in ((_DAY, "day"), (_HOUR, "hour")):
        if seconds >= 2 * unit:
            return f"about {int(seconds // unit)} {name}s"
    count = int(seconds // _MINUTE)
    return f"about {count} minute{'' if count == 1 else 's'}"


def percent(fraction: float | None) -> str:
    """A part of a whole: "83 %". Rounded down: 100 % is said of what is full, not before."""
    return "unknown" if fraction is None else f"{int(fraction * 100)} %"
