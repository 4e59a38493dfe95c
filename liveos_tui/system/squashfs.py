"""Looking into a squashfs image with `unsquashfs`, which neither mounts nor unpacks it."""

import re
from collections.abc import Callable
from pathlib import Path

from liveos_tui.errors import LiveosError, UnreadableError
from liveos_tui.formats.text import clean
from liveos_tui.system.runner import CommandError, Runner, ToolMissingError
from liveos_tui.system.streaming import never, stream

_LISTED = re.compile(
    rb"^(?P<mode>[-dlcbps][-rwxsStT]{9}) \d+/\d+ +(?P<size>\d{1,19}) \S+ \S+ "
    rb"squashfs-root(?:/(?P<path>.+))?$",
    re.MULTILINE,
)

# A listing of a few named members is short; an image made to harm may say otherwise.
_LISTING_LIMIT_BYTES = 256 * 1024


def members(runner: Runner, image: Path, *paths: str) -> dict[str, int]:
    """The size in bytes of each of `paths` (and what lies below) that is in the image.

    Raises ToolMissingError and UnreadableError.
    """
    return {path: int(entry["size"]) for path, entry in _listing(runner, image, *paths) if path}


def outer_modes(runner: Runner, image: Path, member: str) -> tuple[tuple[str, int], ...]:
    """The permission bits of a member of a squashfs and of the folders above it ("" is the top).

    Raises ToolMissingError and UnreadableError.
    """
    above = {"/".join(member.split("/")[:n]) for n in range(member.count("/") + 2)}
    listed = _listing(runner, image, member)
    return tuple((path, _bits(entry["mode"])) for path, entry in listed if path in above)


def _listing(runner: Runner, image: Path, *paths: str) -> list[tuple[str, re.Match[bytes]]]:
    """What `unsquashfs -lln` says of each of `paths`, of what lies below, and of those above."""
    listed = _unsquashfs(
        runner, "-lln", "-no-wildcards", str(image), *paths, limit=_LISTING_LIMIT_BYTES
    )
    return [
        ((entry["path"] or b"").decode("utf-8", "backslashreplace"), entry)
        for entry in _LISTED.finditer(listed)
    ]


def _bits(listed: bytes) -> int:
    """Permission bits of what `ls -l` shows; those of set-id and sticky do not matter here."""
    bits = 0
    for letter in listed[1:].decode():
        bits = bits << 1 | (letter in "rwxst")
    return bits


def read_start(runner: Runner, image: Path, member: str, size: int) -> bytes:
    """The first `size` bytes of a file inside the image.

    Raises ToolMissingError and UnreadableError.
    """
    return _unsquashfs(runner, "-no-wildcards", "-cat", str(image), member, limit=size)


def read_all(
    image: Path,
    member: str,
    size_bytes: int,
    on_data: Callable[[bytes], None],
    *,
    cancelled: Callable[[], bool] = never,
) -> None:
    """Hand on all of a file inside the image, which has `size_bytes` as `members` says.

    Raises UnreadableError when it has more or less, ToolMissingError, CancelledError, and what
    `on_data` raises.
    """
    left = size_bytes

    def hand_on(data: bytes) -> None:
        nonlocal left
        left -= len(data)
        if left < 0:
            raise UnreadableError(f"{clean(member)} is larger than {clean(image.name)} says.")
        on_data(data)

    argv = ["unsquashfs", "-processors", "1", "-no-wildcards", "-cat", str(image), member]
    try:
        stream(argv, on_output=hand_on, cancelled=cancelled, errors_apart=True)
    except CommandError as error:
        raise _unreadable(error) from error
    if left:
        raise UnreadableError(
            f"{clean(member)} ends early: {clean(image.name)} is damaged or cut off.",
            "Nothing was changed.",
        )


def _unsquashfs(runner: Runner, *arguments: str, limit: int) -> bytes:
    try:
        # One processor and little memory: the system that is looked at may be short of both.
        argv = ["unsquashfs", "-processors", "1", *arguments]
        return runner.run(argv, timeout=10.0, limit=limit).stdout
    except ToolMissingError:
        raise
    except LiveosError as error:
        raise _unreadable(error) from error


def _unreadable(error: LiveosError) -> UnreadableError:
    return UnreadableError(
        f"The image cannot be read: {clean(error.message)}",
        "It may be damaged or cut off. Nothing was changed.",
    )
