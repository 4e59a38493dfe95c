"""A root that runs: ext4 on a snapshot with table PO, its overlay on a FAT stick, and a writer.

The writer appends numbered records, and replaces files (write, fsync, rename), all the time. What
it has synced is told by a pipe, so nobody takes the file system's word for it.
"""

import contextlib
import hashlib
import os
import shutil
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path

import records
from filled import command, exit_code
from machine import wait_for

from liveos_tui.system.dm_control import DmControl
from liveos_tui.system.root_devices import RootNames, root_names

DEVICE = "lane-rw"
JOB = "lane-merge"
OVERLAY = "overlay-LANE-1234-ABCD"
SECOND = "overlay.alt"
OVERLAY_BYTES = 48 << 20
_STICK_BYTES = 160 << 20


class Writer:
    """The program that writes on the root. `told` is what it has said by now."""

    def __init__(self, folder: Path, work: Path, pause: float = 0.002) -> None:
        self._folder = folder
        self._log = work / "told"
        argv = [sys.executable, "-c", records.SCRIPT, str(folder), str(pause), "/never", "3"]
        with self._log.open("wb") as log:
            self._process = subprocess.Popen(argv, stdout=log)

    @property
    def told(self) -> list[list[str]]:
        # The last piece is a line that is still being written.
        return [line.split() for line in self._log.read_text().split("\n")[:-1]]

    @property
    def records(self) -> int:
        """How many records it has synced."""
        return records.count(self.told)

    def wait_for_more(self, records: int = 20) -> None:
        """Wait until it has synced more records: the root is alive."""
        enough = self.records + records
        wait_for(lambda: self.records >= enough, "more records", 60, pause=0.05)

    def stop(self) -> None:
        self._process.kill()
        self._process.wait()

    def lost(self, folder: Path, told: list[list[str]] | None = None) -> list[str]:
        """What was told to be synced, and is not in `folder`, where the root is mounted.

        `told`: what it had said by the moment that counts. What it has begun since may be there.
        """
        everything = self.told
        counts = len(everything) if told is None else len(told)
        hashes = {
            path.name: hashlib.sha256(path.read_bytes()).hexdigest()
            for path in folder.glob("file*")
        }
        found = (folder / "records").read_bytes()
        return records.missing(found, hashes, everything[:counts], everything[counts:])


@dataclass(frozen=True, slots=True)
class RunningRoot:
    """`stick` is the folder LiveOS of the mounted stick, `mounted` where the root is mounted."""

    control: DmControl
    names: RootNames
    stick: Path
    mounted: Path
    base: Path
    work: Path

    @contextmanager
    def writing(self, pause: float = 0.002) -> Iterator[Writer]:
        """The writer at work until the end of the context."""
        writer = Writer(self.mounted / "srv", self.work, pause)
        try:
            writer.wait_for_more()
            yield writer
        finally:
            writer.stop()

    def table(self) -> str:
        return command("dmsetup", "table", DEVICE)

    def alive(self) -> None:
        """See that the root is not suspended, and takes a write."""
        wait_for(lambda: self._state() == "ACTIVE", "a root that goes on", 60, pause=0.05)
        (self.mounted / "alive").write_text("yes")
        command("sync", "-f", self.mounted)

    def _state(self) -> str:
        said = command("dmsetup", "info", "-c", "--noheadings", "-o", "suspended", DEVICE)
        return "SUSPENDED" if said.startswith("Suspended") else "ACTIVE"

    def left(self) -> str:
        """The job's devices."""
        return "\n".join(x for x in command("dmsetup", "ls").splitlines() if "liveos-tui" in x)


@contextmanager
def running_root(
    base: Path, work: Path, overlay_bytes: int = OVERLAY_BYTES
) -> Iterator[RunningRoot]:
    """A running root; at the end nothing of it is left."""
    disk = work / "stick.img"
    with disk.open("xb") as file:
        file.truncate(_STICK_BYTES)
    command("mkfs.vfat", "-F", "32", "-n", "LANE", disk)
    stick, mounted = work / "stick", work / "root"
    stick.mkdir()
    mounted.mkdir()
    with ExitStack() as stack:
        command("mount", "-o", "loop", disk, stick)
        stack.callback(command, "umount", stick)
        live = stick / "LiveOS"
        live.mkdir()
        zeros(live / OVERLAY, overlay_bytes)
        base_loop = command("losetup", "-f", "--show", "-r", base)
        stack.callback(_detach, base_loop)
        over_loop = command("losetup", "-f", "--show", live / OVERLAY)
        stack.callback(_detach, over_loop)
        table = f"0 {base.stat().st_size // 512} snapshot {base_loop} {over_loop} PO 8"
        command("dmsetup", "create", DEVICE, "--table", table)
        stack.callback(command, "dmsetup", "remove", "--retry", DEVICE)
        command("mount", f"/dev/mapper/{DEVICE}", mounted)
        stack.callback(command, "umount", mounted)
        control = stack.enter_context(DmControl())
        yield RunningRoot(control, root_names(DEVICE, JOB), live, mounted, base, work)


def zeros(path: Path, size_bytes: int) -> None:
    """A file of zeros, all of them written."""
    with path.open("xb") as file:
        for _ in range(size_bytes >> 20):
            file.write(bytes(1 << 20))
        file.flush()
        os.fsync(file.fileno())


def _detach(device: str) -> None:
    # A switch has let go of it already.
    exit_code("losetup", "-d", device)


def killed_at(wanted: str) -> Callable[[str], None]:
    """An instant at which this process is killed."""

    def instant(name: str) -> None:
        if name == wanted:
            os.kill(os.getpid(), signal.SIGKILL)

    return instant


def in_a_process(work: Callable[[], object]) -> int:
    """Do `work` in a process of its own; its exit status, negative for a signal."""
    child = os.fork()
    if child == 0:
        code = 1
        with contextlib.suppress(BaseException):
            work()
            code = 0
        os._exit(code)
    return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])


def fsck_of_copy(root: RunningRoot, base: Path, overlay: Path, writer: Writer) -> list[str]:
    """What is wrong with base and overlay as a boot after a power cut at this moment finds them.

    On copies: the journal is replayed, then e2fsck has to find nothing and no record may miss.
    """
    copy, folder = root.work / "cut-overlay", root.work / "cut"
    told = writer.told
    # Neither flushed nor quiesced: as the power cut finds it.
    command("dmsetup", "suspend", "--noflush", "--nolockfs", DEVICE)
    shutil.copyfile(overlay, copy)
    command("dmsetup", "resume", DEVICE)
    folder.mkdir(exist_ok=True)
    wrong = []
    with ExitStack() as stack:
        base_loop = command("losetup", "-f", "--show", "-r", base)
        stack.callback(_detach, base_loop)
        over_loop = command("losetup", "-f", "--show", copy)
        stack.callback(_detach, over_loop)
        table = f"0 {base.stat().st_size // 512} snapshot {base_loop} {over_loop} PO 8"
        command("dmsetup", "create", "lane-cut", "--table", table)
        stack.callback(command, "dmsetup", "remove", "--retry", "lane-cut")
        command("mount", "/dev/mapper/lane-cut", folder)
        wrong += writer.lost(folder / "srv", told)
        command("umount", folder)
        if code := exit_code("e2fsck", "-f", "-n", "/dev/mapper/lane-cut"):
            wrong.append(f"e2fsck -f -n: {code}")
    copy.unlink()
    return wrong
