"""What tells one disk from another: asked when a plan is made, and again before it is done."""

import json
from dataclasses import dataclass

from liveos_tui.errors import LiveosError
from liveos_tui.formats.blocklist import BlockDevice, disk_of
from liveos_tui.formats.text import clean
from liveos_tui.system.probes import Probes


@dataclass(frozen=True, slots=True)
class DiskIdentity:
    """A device as `lsblk` knows it, and its disk. None is "not known".

    `serial` holds for ever, `diskseq` for one plugging in: the kernel (5.14 and later) counts every
    disk that appears.
    """

    device: BlockDevice | None = None
    model: str | None = None
    serial: str | None = None
    diskseq: str | None = None


def disk_identity(probes: Probes, number: str) -> DiskIdentity:
    """What is known of the block device of this number ("8:17")."""
    devices = probes.block_devices()
    device = next((each for each in devices if each.device == number), None)
    if device is None:
        return DiskIdentity()
    disk = disk_of(device, devices)
    diskseq = probes.text(f"/sys/block/{disk.name}/diskseq")
    return DiskIdentity(
        device,
        model=disk.model or device.model,
        serial=_serial(probes, disk.path),
        diskseq=clean(diskseq.strip()) if diskseq else None,
    )


def boot_id(probes: Probes) -> str | None:
    """The kernel's name for this boot of the machine."""
    text = probes.text("/proc/sys/kernel/random/boot_id")
    return clean(text.strip()) if text else None


def _serial(probes: Probes, path: str) -> str | None:
    argv = ["lsblk", "--json", "--nodeps", "--output", "SERIAL", path]
    try:
        rows = json.loads(probes.runner.run(argv, timeout=10.0).stdout)["blockdevices"]
        serial = rows[0].get("serial") if len(rows) == 1 else None
    except (LiveosError, ValueError, KeyError, IndexError, TypeError, AttributeError):
        return None
    return clean(serial.strip()) or None if isinstance(serial, str) else None
