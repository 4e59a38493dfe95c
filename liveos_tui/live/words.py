"""Sizes, durations and parts as a person says them."""

import humanize

_MINUTE, _HOUR, _DAY = 60, 3600, 86400


def size(number: float | None) -> str:
    """Bytes in binary units: "425 MiB", "1.7 GiB", "unknown".

    Rounded down, so that room is never told as more than there is.
    """
    if number is None:
        return "unknown"
    magnitude = abs(number)
    for unit in (1024, 1024**2, 1024**3, 1024**4):
        if magnitude < unit * 1024:
            digits = 0 if magnitude < 1024 or magnitude >= 10 * unit else 1
            floored = int(number / unit * 10**digits) / 10**digits * unit
            return humanize.naturalsize(
                number if magnitude < 1024 else floored, binary=True, format=f"%.{digits}f"
            )
    return humanize.naturalsize(number, binary=True)


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
