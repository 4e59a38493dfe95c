"""Which snapshot device writes into which overlay file: dm tables joined with loop devices."""

from dataclasses import dataclass

from liveos_tui.errors import LiveosError
from liveos_tui.formats.dmtable import Persistence, SnapshotTable
from liveos_tui.system.files import Folder
from liveos_tui.system.loops import Loop
from liveos_tui.system.probes import DmNode, Probes

_BASE_NAMES = ("rootfs.img", "ext3fs.img")


@dataclass(frozen=True, slots=True)
class Snapshot:
    """An active snapshot: its origin's number, its COW store's number ("7:2").

    `persistence` is None without root, when only /sys was asked.
    """

    name: str
    number: str
    origin: str
    cow: str
    persistence: Persistence | None


def snapshots(probes: Probes, loops: tuple[Loop, ...]) -> tuple[Snapshot, ...]:
    """All active snapshots, from the tables where they may be read, from /sys otherwise."""
    nodes = probes.dm_nodes()
    if not nodes:
        return ()
    if probes.privileged:
        try:
            return _from_tables(probes, nodes)
        except LiveosError:
            # /sys tells the same, but for the persistence.
            pass
    return _from_sys(nodes, loops)


def _from_tables(probes: Probes, nodes: tuple[DmNode, ...]) -> tuple[Snapshot, ...]:
    numbers = {node.name: node.number for node in nodes}
    return tuple(
        Snapshot(device.name, number, table.origin, table.cow, table.persistence)
        for device in probes.device_mapper().table()
        for line in device.lines
        if device.name is not None
        and (number := numbers.get(device.name))
        and isinstance(table := line.table, SnapshotTable)
    )


def _from_sys(nodes: tuple[DmNode, ...], loops: tuple[Loop, ...]) -> tuple[Snapshot, ...]:
    """A snapshot lies on two devices; the one that holds an overlay, or no base, is its store."""
    by_name = {loop.name: loop for loop in loops}
    numbers = {loop.name: loop.number for loop in loops}
    found = []
    for node in nodes:
        stores = [name for name in node.slaves if name in by_name and _is_overlay(by_name[name])]
        if len(node.slaves) != 2 or len(stores) != 1:
            continue
        origin = next(name for name in node.slaves if name != stores[0])
        found.append(
            Snapshot(node.name, node.number, numbers.get(origin, origin), numbers[stores[0]], None)
        )
    return tuple(found)


def _is_overlay(loop: Loop) -> bool:
    name = loop.backing.rpartition("/")[2]
    return name.startswith("overlay") and name not in _BASE_NAMES


def is_loop_of(
    loop: Loop, stick: Folder, mount_point: str, number: str | None, path: str, *, booted: bool
) -> bool:
    """Whether the file behind a loop is `path` of the stick at `mount_point`.

    The path that the kernel tells lacks the mount point after dracut's lazy unmount; `booted` says
    that such a path means this stick. Device number and inode decide where they are known: a copy
    of a stick has the same names.
    """
    tail = "/" + path
    if loop.deleted or not loop.backing.endswith(tail):
        return False
    if loop.filesystem is not None and number is not None and loop.filesystem != number:
        return False
    if loop.inode is None:
        return booted or loop.backing == mount_point.rstrip("/") + tail
    try:
        with stick.open(path) as file:
            return file.identity.inode == loop.inode
    except LiveosError:
        return False
