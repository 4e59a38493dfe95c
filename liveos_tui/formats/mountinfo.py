r"""/proc/self/mountinfo, and which mount a path is on.

The format is in man proc_pid_mountinfo and fs/proc_namespace.c: blanks, newlines and backslashes
in a field are octal escapes (`\040`). Paths are kept as they are, since they are used to reach
files; clean them when they are shown. Read the file with `surrogateescape`, so that names that
are not UTF-8 survive.
"""

import re
from dataclasses import dataclass

from liveos_tui.errors import FormatError
from liveos_tui.formats.text import clean

_LIMIT = 64 * 1024 * 1024  # the kernel allows 100,000 mounts (fs.mount-max) of a few hundred bytes
_OCTAL = re.compile(r"\\([0-3][0-7]{2})")
_DEVICE = re.compile(r"[0-9]{1,10}:[0-9]{1,10}")
_NUMBER = re.compile(r"[0-9]{1,10}")
_LAYER_ESCAPE = re.compile(r"\\([\\:,])")


@dataclass(frozen=True, slots=True)
class Mount:
    """One mount. `device` is MAJOR:MINOR, `root` the folder of the file system that is seen.

    `options` belong to this mount, `super_options` to the file system; octal escapes are decoded
    in both.
    """

    mount_id: int
    parent_id: int
    device: str
    root: str
    mount_point: str
    options: tuple[str, ...]
    filesystem: str
    source: str
    super_options: tuple[str, ...]

    @property
    def read_only(self) -> bool:
        """Nothing can be written through this mount, for its own sake or the file system's."""
        return "ro" in self.options or "ro" in self.super_options


@dataclass(frozen=True, slots=True)
class OverlayLayers:
    """The folders that an OverlayFS is made of, the topmost lower one first.

    Without `upper` the overlay is read-only. The paths were looked up by the process that mounted
    it: for a live system that is the initramfs, so they may not be reachable any more.
    """

    lower: tuple[str, ...]
    upper: str | None = None
    work: str | None = None


def parse_mountinfo(text: str) -> tuple[Mount, ...]:
    """Read all mounts, in the kernel's order. Raises FormatError for a line that is none."""
    if len(text) > _LIMIT:
        raise FormatError("The list of mounts is longer than a kernel allows.")
    return tuple(_mount(line) for line in text.split("\n") if line)


def _mount(line: str) -> Mount:
    fields = line.split(" ")
    # Between the options and the single dash stands any number of optional fields.
    dash = fields.index("-", 6) if "-" in fields[6:] else 0
    after = fields[dash + 1 :]
    if (
        not dash
        or len(after) != 3
        or not _NUMBER.fullmatch(fields[0])
        or not _NUMBER.fullmatch(fields[1])
        or not _DEVICE.fullmatch(fields[2])
    ):
        raise FormatError(f"A line of mountinfo is not understood: {clean(line, 80)}")
    return Mount(
        mount_id=int(fields[0]),
        parent_id=int(fields[1]),
        device=fields[2],
        root=_decoded(fields[3]),
        mount_point=_decoded(fields[4]),
        options=_options(fields[5]),
        filesystem=_decoded(after[0]),
        source=_decoded(after[1]),
        super_options=_options(after[2]),
    )


def _options(field: str) -> tuple[str, ...]:
    # Split first: a comma inside a value is an octal escape, too.
    return tuple(_decoded(option) for option in field.split(","))


def _decoded(field: str) -> str:
    return _OCTAL.sub(lambda found: _character(int(found[1], 8)), field)


def _character(code: int) -> str:
    """A byte beyond ASCII becomes what `surrogateescape` makes of it."""
    return chr(code) if code < 0x80 else chr(0xDC00 + code)


def mount_holding(mounts: tuple[Mount, ...], path: str) -> Mount | None:
    """The mount that an absolute path without links is on, as the kernel walks there.

    Mounts that a later mount covers are passed by. None when the path's mount is not in the list,
    as in a chroot.
    """
    known = {mount.mount_id for mount in mounts}
    children: dict[int | None, list[Mount]] = {}
    for mount in mounts:
        if _below(path, mount.mount_point):
            # The walk begins at the mounts whose parent is not in the list, or is themselves.
            orphan = mount.parent_id not in known or mount.parent_id == mount.mount_id
            children.setdefault(None if orphan else mount.parent_id, []).append(mount)
    orphans = children.pop(None, [])
    current: Mount | None = None
    ahead = orphans
    while ahead:
        # The nearest one first: it decides what the rest of the path means. Of several on one
        # place with one parent the last is on top.
        nearest = min(len(mount.mount_point) for mount in ahead)
        current = [mount for mount in ahead if len(mount.mount_point) == nearest][-1]
        # Taken out, so that mounts that name each other as parent do not lead in a circle.
        ahead = [
            mount
            for mount in children.pop(current.mount_id, [])
            if _below(mount.mount_point, current.mount_point)
        ] or [mount for mount in orphans if len(mount.mount_point) > len(current.mount_point)]
    return current


def mount_at(mounts: tuple[Mount, ...], path: str) -> Mount | None:
    """The topmost mount whose mount point is this very path; None when it is not one."""
    holding = mount_holding(mounts, path)
    return holding if holding and holding.mount_point == path else None


def _below(path: str, folder: str) -> bool:
    return folder in {"/", path} or path.startswith(f"{folder}/")


def overlay_layers(mount: Mount) -> OverlayLayers | None:
    r"""The layers of an OverlayFS mount; None for another file system.

    Lower folders are one option, separated by colons, or from Linux 6.8 on perhaps one option
    each (`lowerdir+`, and `datadir+` for layers that only hold data). Backslashes protect colons,
    commas and backslashes (Documentation/filesystems/overlayfs.rst).
    """
    if mount.filesystem != "overlay":
        return None
    lower: list[str] = []
    upper: str | None = None
    work: str | None = None
    for option in mount.super_options:
        key, _, value = option.partition("=")
        match key:
            case "lowerdir":
                lower += _layers(value)
            case "lowerdir+" | "datadir+":
                lower.append(value)
            case "upperdir":
                upper = _unprotected(value)
            case "workdir":
                work = _unprotected(value)
    return OverlayLayers(tuple(lower), upper, work)


def _layers(value: str) -> list[str]:
    """Split at colons that no backslash protects; a double colon marks data layers."""
    layers = re.findall(r"(?:[^\\:]|\\.|\\$)+", value, re.DOTALL)
    return [_unprotected(layer) for layer in layers]


def _unprotected(value: str) -> str:
    return _LAYER_ESCAPE.sub(r"\1", value)
