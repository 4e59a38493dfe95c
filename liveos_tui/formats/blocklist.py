"""The block devices that `lsblk --json --bytes` lists.

Ask for `LSBLK_COLUMNS`. The format is that of util-linux (man lsblk, misc-utils/lsblk.c), with
what older ones do differently: booleans as "0" and "1" (before 2.33), sizes as text, MOUNTPOINT
instead of MOUNTPOINTS (before 2.37), no PATH (before 2.33); a column that is missing is not known.
"""

import json
from collections.abc import Iterator
from dataclasses import dataclass, replace

from liveos_tui.errors import FormatError
from liveos_tui.formats.text import clean

LSBLK_COLUMNS = (
    "NAME", "KNAME", "PATH", "MAJ:MIN", "TYPE", "FSTYPE", "LABEL", "UUID", "SIZE", "RO", "RM",
    "HOTPLUG", "MODEL", "TRAN", "MOUNTPOINTS", "PKNAME",
)  # fmt: skip
"""What to give to `lsblk --output`, joined by commas."""

_LIMIT = 16 * 1024 * 1024
_DEVICES_LIMIT = 100_000
_TEXT_LIMIT = 200
_NOT_UNDERSTOOD = "The list of block devices (lsblk) is not understood."
_WHAT_TO_DO = "Nothing was changed. Please send a `liveos-tui report`."


@dataclass(frozen=True, slots=True)
class BlockDevice:
    """One block device. None is "not known".

    `name` is the kernel's name (sdb1, dm-0), `path` the device node, `device` MAJOR:MINOR. `kind`
    is lsblk's TYPE: disk, part, loop, dm, crypt, rom. `parents` are the kernel names of the
    devices below it. `path` and `mount_points` are raw, to be used; clean them when they are
    shown. All other text is clean.
    """

    name: str
    path: str
    device: str | None = None
    kind: str | None = None
    filesystem: str | None = None
    label: str | None = None
    uuid: str | None = None
    size_bytes: int | None = None
    read_only: bool | None = None
    removable: bool | None = None
    hotplug: bool | None = None
    model: str | None = None
    transport: str | None = None
    mount_points: tuple[str, ...] = ()
    parents: tuple[str, ...] = ()

    @property
    def parent(self) -> str | None:
        """The kernel name of the device below, the first where there are several."""
        return self.parents[0] if self.parents else None


def disk_of(device: BlockDevice, devices: tuple[BlockDevice, ...]) -> BlockDevice:
    """The device that a partition is part of; the device itself where it is none."""
    return next((each for each in devices if each.name in device.parents), device)


def parse_lsblk(text: str) -> tuple[BlockDevice, ...]:
    """Read all devices, parents before children, each once although lsblk repeats some.

    Raises FormatError when the text is no such list.
    """
    if len(text) > _LIMIT:
        raise FormatError("The list of block devices is longer than any machine's.", _WHAT_TO_DO)
    try:
        document = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise FormatError(_NOT_UNDERSTOOD, _WHAT_TO_DO) from error
    rows = document.get("blockdevices") if isinstance(document, dict) else None
    if not isinstance(rows, list):
        raise FormatError(_NOT_UNDERSTOOD, _WHAT_TO_DO)
    found: dict[str, BlockDevice] = {}
    for row, parent in _flattened(rows):
        device = _device(row, parent)
        if device is None:
            continue
        known = found.get(device.name)
        if known:
            parents = dict.fromkeys(known.parents + device.parents)
            found[device.name] = replace(known, parents=tuple(parents))
        elif len(found) < _DEVICES_LIMIT:
            found[device.name] = device
    return tuple(found.values())


def _flattened(rows: list[object]) -> Iterator[tuple[dict[str, object], str | None]]:
    """Every row with the name of the one it is nested in, without recursion."""
    waiting: list[tuple[object, str | None]] = [(row, None) for row in reversed(rows)]
    while waiting:
        row, parent = waiting.pop()
        if not isinstance(row, dict):
            continue
        yield row, parent
        children = row.get("children")
        if isinstance(children, list):
            name = _text(row.get("kname")) or _text(row.get("name"))
            waiting += [(child, name) for child in reversed(children)]


def _device(row: dict[str, object], parent: str | None) -> BlockDevice | None:
    raw_name = row.get("kname") or row.get("name")
    name = _text(raw_name)
    if not isinstance(raw_name, str) or name is None or "\0" in raw_name:
        return None
    parent = _text(row.get("pkname")) or parent
    return BlockDevice(
        name=name,
        path=_path(row.get("path")) or f"/dev/{raw_name}",
        device=_text(row.get("maj:min")),
        kind=_text(row.get("type")),
        filesystem=_text(row.get("fstype")),
        label=_text(row.get("label")),
        uuid=_text(row.get("uuid")),
        size_bytes=_size(row.get("size")),
        read_only=_boolean(row.get("ro")),
        removable=_boolean(row.get("rm")),
        hotplug=_boolean(row.get("hotplug")),
        model=_text(row.get("model")),
        transport=_text(row.get("tran")),
        mount_points=_mount_points(row),
        parents=(parent,) if parent else (),
    )


def _text(value: object) -> str | None:
    return clean(value.strip(), _TEXT_LIMIT) or None if isinstance(value, str) else None


def _path(value: object) -> str | None:
    if isinstance(value, str) and value.startswith("/") and "\0" not in value:
        return value
    return None


def _size(value: object) -> int | None:
    match value:
        case bool():
            return None
        case int() if 0 <= value < 2**64:
            return value
        case str() if value.isascii() and value.isdigit() and len(value) <= 20:
            return int(value)
    return None


def _boolean(value: object) -> bool | None:
    match value:
        case bool():
            return value
        case "0" | 0:
            return False
        case "1" | 1:
            return True
    return None


def _mount_points(row: dict[str, object]) -> tuple[str, ...]:
    """Where it is mounted; swap space shows as "[SWAP]" and is no place."""
    several = row.get("mountpoints")
    points = several if isinstance(several, list) else [row.get("mountpoint")]
    return tuple(path for path in map(_path, points) if path)
