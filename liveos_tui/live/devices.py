"""Which block devices are LiveOS sticks, and how are they?"""

from collections.abc import Callable

from liveos_tui.errors import LiveosError, NotALiveosError, PrivilegeError
from liveos_tui.formats.blocklist import BlockDevice, disk_of
from liveos_tui.live.booted import stick_mount
from liveos_tui.live.model import AttachedDevice, LiveSystem
from liveos_tui.live.watch import Watch
from liveos_tui.system.probes import Probes

# File systems that a stick may have. What is on others (swap, LVM, RAID members) is not looked at.
_STICK_FILESYSTEMS = frozenset(
    {"vfat", "exfat", "ext2", "ext3", "ext4", "btrfs", "xfs", "iso9660", "udf", "ntfs"}
)
_DEVICE_TYPES = frozenset({"disk", "part", "rom"})


def attached_devices(
    probes: Probes, open_target: Callable[[str], Watch]
) -> tuple[AttachedDevice, ...]:
    """The stick of this system, and every device with a file system that can be unplugged.

    The disks inside a computer are none of our business, unless this system runs from one.
    """
    mounts, devices = probes.mounts(), probes.block_devices()
    own = stick_mount(mounts)
    rows = []
    for device in devices:
        if device.kind not in _DEVICE_TYPES or device.filesystem not in _STICK_FILESYSTEMS:
            continue
        this_system = own is not None and device.device == own.device
        removable = _is_removable(device, devices)
        if not (this_system or removable):
            continue
        rows.append(_row(device, devices, open_target, this_system=this_system))
    rows.sort(key=lambda row: (not row.this_system, bool(row.note), row.path))
    return tuple(rows)


def _is_removable(device: BlockDevice, devices: tuple[BlockDevice, ...]) -> bool:
    family = (device, disk_of(device, devices))
    return any(each.removable or each.hotplug or each.transport == "usb" for each in family)


def _row(
    device: BlockDevice,
    devices: tuple[BlockDevice, ...],
    open_target: Callable[[str], Watch],
    *,
    this_system: bool,
) -> AttachedDevice:
    system: LiveSystem | None = None
    note = ""
    try:
        watch = open_target("live" if this_system else device.path)
        try:
            system = watch.sample()
        finally:
            watch.close()
    except NotALiveosError:
        note = "No LiveOS folder on it."
    except PrivilegeError:
        note = "Not mounted; root can look."
    except LiveosError as error:
        note = error.message
    return AttachedDevice(
        path=device.path,
        label=device.label,
        uuid=device.uuid,
        filesystem=device.filesystem,
        size_bytes=device.size_bytes,
        model=disk_of(device, devices).model or device.model,
        this_system=this_system,
        overlay_state=system.overlay.state if system else None,
        overlay_fraction=system.overlay.fraction if system else None,
        severity=system.severity if system else None,
        note=note,
    )
