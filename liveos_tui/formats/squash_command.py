"""The command that makes a squashfs of one file, which mksquashfs gets as a pseudo-file."""

import re
from dataclasses import dataclass

from liveos_tui.errors import LiveosError
from liveos_tui.formats.mksquashfs import LEVELS
from liveos_tui.formats.text import clean

_MEMBER = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_.-]*(?:/[A-Za-z0-9_][A-Za-z0-9_.-]*)*")
_FOLDER_MODE, _FILE_MODE = 0o755, 0o644


@dataclass(frozen=True, slots=True)
class SquashOptions:
    """How a squashfs is compressed; blocks are bytes, `level` None is the compressor's own.

    `modes` are permission bits by path ("" is the top folder), where they are not the usual ones.
    """

    compressor: str
    block_bytes: int
    level: int | None = None
    modes: tuple[tuple[str, int], ...] = ()

    @property
    def top_mode(self) -> int:
        """The permission bits of the top folder."""
        return dict(self.modes).get("", _FOLDER_MODE)


def squash_command(
    target: str,
    member: str,
    options: SquashOptions,
    *,
    source: str = "EMPTY-FOLDER",
    feed: str = "MERGED-VIEW",
    mode: str | None = None,
) -> tuple[str, ...]:
    """The command that makes the image `target`; `feed` is the pseudo-file's command.

    `mode` stands for permission bits that are not known yet. Raises LiveosError for a member or a
    level that cannot be.
    """
    if not _MEMBER.fullmatch(member):
        raise LiveosError(
            f"{clean(member)} is no name for the root file system in an image.",
            "Nothing was changed. A live system has LiveOS/rootfs.img there.",
        )
    modes = dict(options.modes)
    parts = member.split("/")
    words = ["mksquashfs", source, target, "-noappend", "-exit-on-error", "-no-xattrs"]
    words += ["-all-root", "-comp", options.compressor, "-b", str(options.block_bytes)]
    words += _level(options)
    for folder in ("/".join(parts[: n + 1]) for n in range(len(parts) - 1)):
        words += ["-p", f"{folder} d {mode or f'{modes.get(folder, _FOLDER_MODE):o}'} 0 0"]
    words += ["-p", f"{member} f {mode or f'{modes.get(member, _FILE_MODE):o}'} 0 0 {feed}"]
    return tuple(words)


def _level(options: SquashOptions) -> list[str]:
    if options.level is None:
        return []
    allowed = LEVELS.get(options.compressor, range(0))
    if options.level not in allowed:
        which = f"{allowed[0]} to {allowed[-1]}" if allowed else "none"
        raise LiveosError(
            f"{clean(options.compressor)} has no level {options.level}.",
            f"Its levels: {which}. Nothing was changed.",
        )
    return ["-Xcompression-level", str(options.level)]
