"""What of a machine helps to understand an error: gathered for a report, nothing is changed.

Only what has to do with a LiveOS is taken: other dm devices, loop devices and mounts are nobody's
business. What is gathered still has personal words in it (`formats.disguise`).
"""

from collections.abc import Callable
from dataclasses import dataclass

from liveos_tui.errors import LiveosError
from liveos_tui.formats.cmdline import parse_cmdline
from liveos_tui.formats.dmtable import DeviceStatus, DeviceTable, OtherTable
from liveos_tui.formats.mountinfo import Mount
from liveos_tui.live.booted import STICK_MOUNT_POINTS, release_name
from liveos_tui.system.devicemapper import dmsetup_words
from liveos_tui.system.kernel_messages import kernel_words
from liveos_tui.system.loops import Loop
from liveos_tui.system.probes import Probes
from liveos_tui.system.runner import CommandError
from liveos_tui.system.versions import versions

_OPTIONS = frozenset({
    "boot", "enforcing", "initrd", "live_dir", "live_ram", "liveimg", "overlay", "quiet",
    "readonly_overlay", "reset_overlay", "ro", "root", "rootflags", "rootfstype", "rw", "selinux",
})  # fmt: skip
_OPTION_HEADS = ("rd.live.", "rd.overlay")
# Files of a live directory; an overlay's name begins with its kind.
_LIVE_FILES = frozenset({
    "ext3fs.img", "home.img", "osmin.img", "overlay", "rootfs.img", "squashfs.img", "swap.img",
})  # fmt: skip
_DM_NAMES = ("live-", "liveos-tui", "EncHome", "frozen")
_MOUNT_POINTS = frozenset({"/", "/home", "/run/rootfsbase", "/run/overlayfs", *STICK_MOUNT_POINTS})
_FOLDERS = ("/run/initramfs/", "/run/liveos-tui/", "/run/overlayfs")
_NODES = ("/dev/", "overlay", "tmpfs", "LiveOS_rootfs", "none")
_OTHER = "(of something else)"


@dataclass(frozen=True, slots=True)
class Untold:
    """Something that could not be found out, and why not, in a sentence."""

    reason: str


@dataclass(frozen=True, slots=True)
class Evidence:
    """Lines for people, by what they are of.

    `release` is the running system's name for itself; `left_out` counts words of the kernel's
    command line that are not told.
    """

    versions: tuple[tuple[str, str], ...]
    release: str | None
    privileged: bool
    options: tuple[str, ...]
    left_out: int
    tables: tuple[str, ...] | Untold
    statuses: tuple[str, ...] | Untold
    loops: tuple[str, ...] | Untold
    mounts: tuple[str, ...] | Untold
    kernel: tuple[str, ...] | Untold


def gather(probes: Probes, mount_point: str | None = None) -> Evidence:
    """Ask the machine; `mount_point` is where the stick that the report is about can be read."""
    options = parse_cmdline(probes.command_line()).options
    told = [each for each in options if _is_told(each.key)]
    mapper = probes.device_mapper()
    return Evidence(
        versions=versions(probes),
        release=release_name(probes),
        privileged=probes.privileged,
        options=tuple(
            each.key if each.value is None else f"{each.key}={each.value}" for each in told
        ),
        left_out=len(options) - len(told),
        tables=_asked(lambda: _table_lines(mapper.table())),
        statuses=_asked(lambda: _status_lines(mapper.status())),
        loops=_asked(lambda: tuple(_loop_line(loop) for loop in probes.loops())),
        mounts=_asked(lambda: _mount_lines(probes, mount_point)),
        kernel=_asked(lambda: kernel_words(probes)),
    )


def _asked(question: Callable[[], tuple[str, ...]]) -> tuple[str, ...] | Untold:
    try:
        return question()
    except CommandError as error:
        program, words = error.finished.argv[0], dmsetup_words(error)
        return Untold(words if words.startswith(program) else f"{program} says: {words}")
    except LiveosError as error:
        return Untold(error.message)


def _is_told(key: str) -> bool:
    return key in _OPTIONS or key.startswith(_OPTION_HEADS)


def _table_lines(devices: tuple[DeviceTable, ...]) -> tuple[str, ...]:
    return tuple(
        # Parameters of a target that is not known here may be keys.
        f"{_dm_name(device.name)}: "
        + (line.target if isinstance(line.table, OtherTable) else str(line))
        for device in devices
        for line in device.lines
        if _matters(device.name, line.target)
    )


def _status_lines(devices: tuple[DeviceStatus, ...]) -> tuple[str, ...]:
    return tuple(
        f"{_dm_name(device.name)}: {line}"
        for device in devices
        for line in device.lines
        if _matters(device.name, line.target)
    )


def _matters(name: str | None, target: str) -> bool:
    return _is_ours(name) or target.startswith(("snapshot", "mirror"))


def _is_ours(name: str | None) -> bool:
    return name is not None and name.startswith(_DM_NAMES)


def _dm_name(name: str | None) -> str:
    return name if name is not None and _is_ours(name) else _OTHER


def _loop_line(loop: Loop) -> str:
    words = [loop.name, loop.number, "read-only" if loop.read_only else "writable"]
    words += [f"from byte {loop.offset_bytes}"] if loop.offset_bytes else []
    words += ["deleted"] if loop.deleted else []
    folder, _, name = loop.backing.rpartition("/")
    known = name in _LIVE_FILES or name.startswith("overlay-") or name.endswith(".alt")
    return " ".join([*words, f"{folder.rpartition('/')[2]}/{name}" if known else _OTHER])


def _mount_lines(probes: Probes, mount_point: str | None) -> tuple[str, ...]:
    ours = {node.number for node in probes.dm_nodes() if _is_ours(node.name)}
    return tuple(
        _mount_line(mount)
        for mount in probes.mounts()
        if mount.mount_point in {*_MOUNT_POINTS, mount_point}
        or mount.mount_point.startswith(_FOLDERS)
        or mount.device in ours
    )


def _mount_line(mount: Mount) -> str:
    source = mount.source if mount.source.startswith(_NODES) else _OTHER
    mapped = source.removeprefix("/dev/mapper/")
    if mapped != source and not _is_ours(mapped):
        source = f"/dev/mapper/{_OTHER}"
    # Other file systems' values may be user names and addresses.
    values = mount.filesystem == "overlay"
    options = [each for each in mount.super_options if values or "=" not in each]
    told = f"{','.join(mount.options)} {','.join(options)}"
    return f"{mount.mount_point}: {mount.device} {mount.filesystem} {source} {told}"
