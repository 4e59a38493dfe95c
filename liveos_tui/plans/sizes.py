"""By how much an overlay is to grow: proposed, or as a person wishes. Sizes are bytes.

A good size is a whole number of chunks, whole MiB where that is possible, and never one that breaks
when it fills (`live.growth`). The stick keeps a reserve for the job's journal and backup.
"""

import re
from dataclasses import dataclass
from fractions import Fraction

from liveos_tui.errors import ExitCode, LiveosError
from liveos_tui.formats.cow import SECTOR_BYTES, CowSummary
from liveos_tui.formats.text import clean
from liveos_tui.live import growth
from liveos_tui.live.diagnosis import Diagnosis
from liveos_tui.live.growth import MIB, choose_size, kept_bytes, largest_size
from liveos_tui.live.words import amount, need, size
from liveos_tui.plans.refused import PlanRefusedError

GOOD_FRACTION = 0.75
"""An overlay that was grown should be no fuller than this: a console warns from 80 % on."""

_LEAST_STEP_BYTES = 16 * MIB
_LARGEST_STICK_BYTES = 16 << 40
"""Where it is not known how large a stick is, as of a folder: none has more."""

_WRITE = "Write 64M, 1.5G, 64MiB, or a number of bytes."
_SIZE = re.compile(r"(?P<number>[0-9]{1,20}(?:\.[0-9]{1,20})?) ?(?P<unit>[A-Za-z]{0,3})")
_POWERS = {"": 0, "k": 1, "m": 2, "g": 3, "t": 4}
_LARGEST_BYTES = 1 << 62


class SizeError(LiveosError):
    """A size that cannot be: it is none, or this overlay cannot have it."""

    exit_code = ExitCode.USAGE


@dataclass(frozen=True, slots=True)
class Growth:
    """Sizes of the overlay's file: now, as proposed, and between what bounds it may be chosen."""

    from_bytes: int
    to_bytes: int
    least_bytes: int
    most_bytes: int

    @property
    def by_bytes(self) -> int:
        """How much is added."""
        return self.to_bytes - self.from_bytes


def parts_of_room(growth: Growth | None, missing_bytes: int) -> str:
    """What the room for a growth is for, and for the holes of the overlay's file."""
    parts = [f"{size(growth.by_bytes)} for the overlay"] if growth is not None else []
    parts += [f"{size(missing_bytes)} for its holes"] if missing_bytes else []
    return ", ".join((*parts, f"{'the rest ' if parts else ''}for the job itself"))


def parse_size(text: str) -> int:
    """Bytes in a size as a person types it: "64M", "1.5G", "64MiB", "67108864".

    As coreutils do: K, M, G, T and KiB, MiB ... are powers of 1024, KB, MB ... of 1000. Parts of a
    byte are rounded up. Raises SizeError.
    """
    match = _SIZE.fullmatch(text.strip()) if len(text) < 64 else None
    unit = match["unit"].lower() if match else "?"
    power = _POWERS.get(unit.removesuffix("ib").removesuffix("b"))
    if re.match(r"\s*-\s*[0-9]", text):
        raise SizeError(f"{clean(text, 40)!r} is negative, and a size is not.", _WRITE)
    if match is None or power is None or unit == "ib":
        raise SizeError(f"{clean(text, 40)!r} is no size.", _WRITE)
    thousands = unit.endswith("b") and not unit.endswith("ib") and power > 0
    factor: int = (1000 if thousands else 1024) ** power
    exact = Fraction(match["number"]) * factor
    found: int = -(-exact.numerator // exact.denominator)
    if not 0 < found <= _LARGEST_BYTES:
        raise SizeError(
            f"{clean(text, 40)!r} is no size that a file can have.", "Write 64M, 1.5G, 64MiB."
        )
    return found


def repair_bytes(diagnosis: Diagnosis) -> int:
    """Room that e2fsck may need in the store (`live.growth.repair_bytes`)."""
    summary = _summary(diagnosis)
    view = diagnosis.view or diagnosis.base
    return growth.repair_bytes(view, summary.exceptions, summary.chunk_sectors)


def lacking_bytes(diagnosis: Diagnosis) -> int:
    """By how much the store has to grow before e2fsck can do its work; 0 where there is room."""
    summary = _summary(diagnosis)
    return max(0, summary.used_bytes + repair_bytes(diagnosis) - summary.total_bytes)


def propose_growth(diagnosis: Diagnosis, *, repair: bool | None = None) -> Growth:
    """A good size for the overlay, and the bounds of what may be chosen.

    `repair`: e2fsck follows and needs room (None: whenever the overlay is not in use and
    something is wrong with it). Raises PlanRefusedError, with the figures, where there is no room.
    """
    summary = _summary(diagnosis)
    if repair is None:
        repair = not diagnosis.in_use and diagnosis.illness.value not in {"none", "foreign"}
    now = diagnosis.file_bytes
    least = max(now, summary.total_bytes) + 1
    if repair:
        least = max(least, now + lacking_bytes(diagnosis))
    most = _most(diagnosis)
    wanted = max(least, int(summary.used_bytes / GOOD_FRACTION))
    if not repair and wanted <= now + _LEAST_STEP_BYTES:
        wanted = now + max(now // 4, _LEAST_STEP_BYTES)
    to = choose_size(wanted, least, most, summary.chunk_sectors)
    lowest = choose_size(least, least, most, summary.chunk_sectors)
    highest = choose_size(most, least, most, summary.chunk_sectors)
    if to is None or lowest is None or highest is None:
        raise PlanRefusedError(*_no_room(diagnosis, least, most, by_itself=False))
    return Growth(now, to, lowest, highest)


def fit(diagnosis: Diagnosis, to_bytes: int) -> Growth:
    """The growth that comes nearest to the size that a person wishes: that, or a little more.

    Raises SizeError where the overlay is that large already, or would not have the room, and
    PlanRefusedError where it has no room at all.
    """
    summary = _summary(diagnosis)
    now = diagnosis.file_bytes
    if to_bytes <= now:
        raise SizeError(
            f"The overlay has {_exact(now)} already; it can only grow.",
            "Nothing was changed. A merge or a reset empties it.",
        )
    most = _most(diagnosis)
    to = choose_size(to_bytes, now + 1, most, summary.chunk_sectors)
    highest = choose_size(most, now + 1, most, summary.chunk_sectors)
    lowest = choose_size(now + 1, now + 1, most, summary.chunk_sectors)
    if highest is None or lowest is None:
        raise PlanRefusedError(*_no_room(diagnosis, to_bytes, most, by_itself=True))
    if to is None or to_bytes > highest:
        raise SizeError(*_no_room(diagnosis, to_bytes, highest, by_itself=True))
    return Growth(now, to, lowest, highest)


def wished_growth(
    diagnosis: Diagnosis, grow_bytes: int | None, to_bytes: int | None
) -> Growth | None:
    """What a person has named, by how much or to what size; None when neither.

    Raises SizeError, PlanRefusedError.
    """
    if grow_bytes is not None and to_bytes is not None:
        raise PlanRefusedError("Name by how much it is to grow, or to what size: not both.")
    if to_bytes is None and grow_bytes is None:
        return None
    return fit(diagnosis, to_bytes or diagnosis.file_bytes + (grow_bytes or 0))


def _summary(diagnosis: Diagnosis) -> CowSummary:
    if diagnosis.summary is None:
        raise PlanRefusedError(
            diagnosis.refusal or "How full the overlay is, is not known.",
            diagnosis.hint or "Nothing was changed.",
        )
    return diagnosis.summary


def _chunk_bytes(summary: CowSummary) -> int:
    return summary.chunk_sectors * SECTOR_BYTES


def _most(diagnosis: Diagnosis) -> int:
    if diagnosis.free_bytes is None:
        raise PlanRefusedError("How much room the stick has is not known.", "Nothing was changed.")
    summary = _summary(diagnosis)
    return largest_size(
        diagnosis.file_bytes,
        free_bytes=diagnosis.free_bytes,
        metadata_bytes=summary.metadata_bytes,
        missing_bytes=diagnosis.missing_bytes,
        limit_bytes=diagnosis.file_limit_bytes,
    )


def _no_room(diagnosis: Diagnosis, least: int, most: int, *, by_itself: bool) -> tuple[str, str]:
    """Why a size cannot be had, with the figures; and what helps."""
    now = diagnosis.file_bytes
    step = _chunk_bytes(_summary(diagnosis))
    limit, free = diagnosis.file_limit_bytes, diagnosis.free_bytes or 0
    wanted = "" if by_itself else "at least "
    if limit is not None and least > limit - limit % step:
        return (
            f"The overlay would have to have {wanted}{_exact(least)}, and a file on "
            f"{diagnosis.place.filesystem or 'this stick'} can have {_exact(limit)} at most.",
            "Nothing was changed. Copied to a disk with another file system (ext4), the stick's "
            "folder can be worked on there.",
        )
    more = most - now
    if by_itself and least > (diagnosis.place.size_bytes or _LARGEST_STICK_BYTES):
        stick = "the whole stick" if diagnosis.place.size_bytes else "any stick"
        return (
            f"An overlay of {size(least)} would be larger than {stick}.",
            f"It can grow by {size(max(0, more))} at most. Nothing was changed.",
        )
    holes = diagnosis.missing_bytes
    kept = kept_bytes(_summary(diagnosis).metadata_bytes)
    parts = f"{need(kept)} are kept for the job"
    if holes:
        parts += f", {need(holes)} for holes of the overlay"
    short = max(least - most, step) if more > 0 else least - now + kept + holes - free
    smaller = f", or grow it by {size(more)} at most" if by_itself and more >= MIB else ""
    return (
        f"The overlay would have to grow by {wanted}{whole_mib(least - now)}, and there is room "
        f"for {amount(more)}: the stick has {amount(free)} free; {parts}.",
        f"Free {whole_mib(short)} on the stick{smaller}. Nothing was changed.",
    )


def whole_mib(number: int) -> str:
    """Room that is needed, as it is told: whole MiB, one at least."""
    return need(-(-max(number, 1) // MIB) * MIB)


def _exact(number: int) -> str:
    """A size in whole MiB where it is one, in bytes otherwise."""
    return f"{number // MIB:,} MiB" if number % MIB == 0 else f"{number:,} bytes"
