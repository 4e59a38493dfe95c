"""Loop devices: which file lies behind which."""

import json
from dataclasses import dataclass, replace
from pathlib import Path

from liveos_tui.errors import LiveosError
from liveos_tui.system.files import read_small
from liveos_tui.system.runner import Runner

LOSETUP = ("losetup", "--json", "--list", "--output", "NAME,BACK-INO,BACK-MAJ:MIN")
_DELETED = " (deleted)"


@dataclass(frozen=True, slots=True)
class Loop:
    """A loop device with a file behind it.

    `backing` is the path as the kernel tells it. After dracut's lazy unmount it lacks the mount
    point ("/LiveOS/overlay-LIVE-12AB-CDEF"). `inode` and `filesystem` ("8:1") of the file are known
    to root only.
    """

    name: str
    number: str
    backing: str
    deleted: bool
    offset_bytes: int = 0
    read_only: bool = False
    inode: int | None = None
    filesystem: str | None = None


def loops(root: Path, runner: Runner, *, privileged: bool) -> tuple[Loop, ...]:
    """All loop devices with a file behind them, by /sys and, as root, `losetup`."""
    found = []
    for folder in sorted((root / "sys/block").glob("loop*")):
        backing = read_small(folder / "loop/backing_file")
        number = read_small(folder / "dev")
        if backing is None or number is None:
            continue
        backing = backing.removesuffix("\n")
        found.append(
            Loop(
                name=folder.name,
                number=number.strip(),
                backing=backing.removesuffix(_DELETED),
                deleted=backing.endswith(_DELETED),
                offset_bytes=int(read_small(folder / "loop/offset") or "0"),
                read_only=(read_small(folder / "ro") or "0").strip() == "1",
            )
        )
    if not (found and privileged):
        return tuple(found)
    known = _backing_identities(runner)
    return tuple(
        replace(loop, inode=inode, filesystem=filesystem)
        for loop in found
        for inode, filesystem in [known.get(loop.name, (None, None))]
    )


def _backing_identities(runner: Runner) -> dict[str, tuple[int | None, str | None]]:
    try:
        rows = json.loads(runner.run(LOSETUP, timeout=5.0).stdout or b"{}")
        return {
            str(row["name"]).removeprefix("/dev/"): (
                int(row["back-ino"]),
                str(row["back-maj:min"]).strip(),
            )
            for row in rows.get("loopdevices", [])
        }
    except (LiveosError, ValueError, KeyError, TypeError, AttributeError):
        # Without it the path alone joins a loop with its file.
        return {}
