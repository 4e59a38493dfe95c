"""What can be asked of a machine, below a root prefix: "/" here, a folder for a captured one."""

import os
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

from liveos_tui.errors import LiveosError
from liveos_tui.formats.blocklist import LSBLK_COLUMNS, BlockDevice, parse_lsblk
from liveos_tui.formats.mountinfo import Mount, parse_mountinfo
from liveos_tui.system.devicemapper import DeviceMapper, KernelDeviceMapper
from liveos_tui.system.files import Folder, read_small
from liveos_tui.system.loops import Loop, loops
from liveos_tui.system.metrics import FilesystemUsage, available_memory, filesystem_usage
from liveos_tui.system.runner import Runner, SystemRunner


@dataclass(frozen=True, slots=True)
class DmNode:
    """An active dm device as /sys shows it to everyone: name, number ("254:0"), what it lies on."""

    name: str
    number: str
    slaves: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Probes:
    """The machine at `root`. `privileged`: its root user asks, who may see device-mapper tables."""

    root: Path = Path("/")
    runner: Runner = field(default_factory=SystemRunner)
    privileged: bool = field(default_factory=lambda: os.geteuid() == 0)
    usage_of: Callable[[Path], FilesystemUsage] = filesystem_usage
    available_memory: Callable[[], int] = available_memory

    def path(self, path: str) -> Path:
        """Where an absolute path of that machine is found here."""
        return self.root / path.lstrip("/")

    def folder(self, path: str) -> Folder:
        """A folder of that machine, to be read without following links."""
        return Folder(self.path(path))

    def usage(self, path: str) -> FilesystemUsage:
        """Room of the file system at an absolute path. Raises UnreadableError."""
        return self.usage_of(self.path(path))

    def may_write(self, path: Path) -> bool:
        """Whether this user has the right to; a read-only mount takes it from nobody."""
        return os.access(path, os.W_OK) or os.statvfs(path).f_flag & os.ST_RDONLY != 0

    def text(self, path: str) -> str | None:
        """A small file of that machine; None where it cannot be read."""
        return read_small(self.path(path))

    def command_line(self) -> str:
        """The kernel's command line."""
        return self.text("/proc/cmdline") or ""

    def mounts(self) -> tuple[Mount, ...]:
        """All mounts, in the kernel's order. Raises FormatError."""
        # A machine with many containers has a long list: no bound that a real one could meet.
        return parse_mountinfo(read_small(self.path("/proc/self/mountinfo"), 1 << 24) or "")

    def loops(self) -> tuple[Loop, ...]:
        """All loop devices that have a file behind them."""
        return loops(self.root, self.runner, privileged=self.privileged)

    def dm_nodes(self) -> tuple[DmNode, ...]:
        """All active dm devices."""
        nodes = []
        for folder in sorted(self.path("/sys/block").glob("dm-*")):
            name, number = read_small(folder / "dm/name"), read_small(folder / "dev")
            if name is None or number is None:
                continue
            slaves = folder / "slaves"
            names = sorted(entry.name for entry in slaves.iterdir()) if slaves.is_dir() else []
            nodes.append(DmNode(name.strip(), number.strip(), tuple(names)))
        return tuple(nodes)

    def device_mapper(self) -> DeviceMapper:
        """The device-mapper of that machine."""
        return KernelDeviceMapper(self.runner)

    def block_devices(self) -> tuple[BlockDevice, ...]:
        """All block devices; none where `lsblk` is missing or fails."""
        argv = ["lsblk", "--json", "--bytes", "--output", ",".join(LSBLK_COLUMNS)]
        try:
            output = self.runner.run(argv, timeout=10.0).stdout
        except LiveosError:
            return ()
        return parse_lsblk(output.decode("utf-8", "backslashreplace"))

    def device_exists(self, number: str) -> bool:
        """Whether a block device ("8:1") is still plugged in.

        What has no device of its own (major 0: btrfs, tmpfs, NFS) is: nothing tells of its end.
        """
        # The link itself: where it leads to is the kernel's affair.
        return number.startswith("0:") or os.path.lexists(self.path(f"/sys/dev/block/{number}"))
