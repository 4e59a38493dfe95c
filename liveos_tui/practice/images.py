"""Images made without root: mkfs.ext4, debugfs and mksquashfs on plain files.

Two builds give the same bytes: UUIDs, hash seed and times are fixed, and files belong to root
whoever builds. `mkfs.ext4 -d` cannot do that (it keeps the builder's ids and change times), so
debugfs writes the files.
"""

from collections.abc import Iterable
from pathlib import Path

from liveos_tui.errors import LiveosError
from liveos_tui.formats.text import clean
from liveos_tui.practice.contents import Change, Deletion, File, Folder, Link
from liveos_tui.system.runner import Runner

BUILD_TIME = 1767225600
"""2026-01-01 00:00 UTC: when a practice stick's base image was made."""

_DAY = 86400
_TIMEOUT_SECONDS = 120.0


class ImageError(LiveosError):
    """An image could not be made."""


def make_ext4(
    runner: Runner, path: Path, size_bytes: int, *, label: str, uuid: str, block_bytes: int = 4096
) -> None:
    """Make an empty ext4 file system in a new sparse file."""
    with path.open("xb") as file:
        file.truncate(size_bytes)
    runner.run(
        [
            *("mkfs.ext4", "-q", "-F", "-b", str(block_bytes), "-I", "256", "-m", "1"),
            *("-J", f"size={4096 * block_bytes // 4 >> 20}", "-L", label, "-U", uuid),
            *("-E", f"hash_seed={uuid},lazy_itable_init=0,nodiscard,root_owner=0:0"),
            str(path),
        ],
        timeout=_TIMEOUT_SECONDS,
        env={"E2FSPROGS_FAKE_TIME": str(BUILD_TIME)},
    )


def change_ext4(
    runner: Runner, path: Path, changes: Iterable[Change], staging: Path, *, day: int = 0
) -> None:
    """Carry out changes in an ext4 image, as of `day` days after BUILD_TIME.

    `staging` is a folder for the files' bytes; what this puts there it removes again. Raises
    ImageError when one of the changes failed (debugfs itself ends with 0 all the same).
    """
    commands = [f"set_current_time @{BUILD_TIME + day * _DAY}"]
    staged: list[Path] = []
    for change in changes:
        match change:
            case Folder(name):
                commands.append(f"mkdir {name}")
            case Deletion(name):
                commands.append(f"rm {name}")
            case Link(name, target):
                commands.append(f"symlink {name} {target}")
            case File(name, data, replaces):
                source = staging / f"{len(staged):05}"
                source.write_bytes(data)
                source.chmod(0o644)
                staged.append(source)
                commands += [f"rm {name}"] if replaces else []
                commands.append(f"write {_quoted(source)} {name}")
    script = staging / "commands"
    script.write_text("\n".join([*commands, ""]), encoding="utf-8", errors="surrogateescape")
    staged.append(script)
    finished = runner.run(["debugfs", "-w", "-f", str(script), str(path)], timeout=_TIMEOUT_SECONDS)
    for file in staged:
        file.unlink()
    # The banner is the one line that a run without errors has there.
    if errors := finished.stderr.strip().splitlines()[1:]:
        raise ImageError(f"debugfs could not fill {clean(path.name)}: {clean(errors[0])}")


def make_squashfs(runner: Runner, source: Path, target: Path) -> None:
    """Make a squashfs of a folder, everything in it owned by root."""
    runner.run(
        [
            *("mksquashfs", str(source), str(target), "-noappend", "-exit-on-error"),
            *("-no-progress", "-no-xattrs", "-all-root", "-comp", "gzip", "-processors", "1"),
            *("-mkfs-time", str(BUILD_TIME), "-all-time", str(BUILD_TIME)),
        ],
        timeout=_TIMEOUT_SECONDS,
    )


def _quoted(path: Path) -> str:
    text = str(path)
    if "\n" in text:
        raise ImageError(
            "The folder's name holds a line break, which debugfs cannot read.",
            "Choose another name.",
        )
    return '"' + text.replace('"', '""') + '"'
