"""Base and COW store joined by the kernel: loop devices, the device-mapper, mounts.

Everything that is made here bears the job's name, or goes by itself with what does: dm devices are
called `liveos-tui-NAME-...`, mounts and files are in `/run/liveos-tui/views/NAME`, loop devices
live as long as their last user (`loops.loop_of`). So `clean_up` finds what a killed job has left.
"""

import os
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from functools import partial
from pathlib import Path

from liveos_tui.errors import LiveosError, UnreadableError
from liveos_tui.formats.cow import DEFAULT_CHUNK_SECTORS, SECTOR_BYTES, CowHeader
from liveos_tui.formats.cow_writer import header_chunk
from liveos_tui.formats.dmtable import Persistence
from liveos_tui.formats.images import SHORT_HEAD_BYTES, ImageKind, identify
from liveos_tui.formats.mirror_status import mirror_table
from liveos_tui.formats.text import clean
from liveos_tui.system import leftovers
from liveos_tui.system.devicemapper import DeviceMapper, KernelDeviceMapper, dmsetup_words
from liveos_tui.system.direct_io import DirectDevice
from liveos_tui.system.files import Folder
from liveos_tui.system.joining import (
    look_at_store,
    part_name,
    patched_store_table,
    snapshot_table,
)
from liveos_tui.system.kernel_mirror import KernelMirror, not_mirrored
from liveos_tui.system.kernel_snapshots import (
    KernelTrial,
    KernelView,
    scratch_store_bytes,
    snapshot_status,
)
from liveos_tui.system.leftovers import forget_folder, job_folder, job_loop, remove_device
from liveos_tui.system.loops import file_identity, loops_of
from liveos_tui.system.runner import CommandError, Runner
from liveos_tui.system.views import Mirror, Trial, View

_MOUNT_OPTIONS = "ro,nosuid,nodev,noexec,loop"
_FILESYSTEMS = {ImageKind.SQUASHFS: "squashfs", ImageKind.EROFS: "erofs"}
_UDEV_CONTROL = Path("/run/udev/control")
# A loop device that was let go of may take a moment to be gone.
_LET_GO_SECONDS = 2.0


def kernel_has_device_mapper(runner: Runner) -> bool:
    """Whether this process may use the kernel's device-mapper, and there is one."""
    if os.geteuid() != 0:
        return False
    try:
        runner.run(["dmsetup", "version"], timeout=5.0)
    except LiveosError:
        return False
    return True


class KernelJoiner:
    """A `views.Joiner` of the kernel's. Needs root.

    A job has one view, one trial and one mirror at a time.
    """

    def __init__(self, runner: Runner, mapper: DeviceMapper | None = None) -> None:
        self._runner = runner
        self._mapper = mapper or KernelDeviceMapper(runner)

    @contextmanager
    def base(self, image: Path, member: str | None, name: str) -> Iterator[Path]:
        """See `Joiner.base`. The device is read-only, and so is the mount that it may need."""
        with ExitStack() as stack:
            file = image
            if member is not None:
                file = stack.enter_context(self._member(image, member, name))
            yield stack.enter_context(job_loop(self._runner, name, file, read_only=True))

    @contextmanager
    def view(
        self,
        base: Path,
        store: Path,
        name: str,
        *,
        persistence: Persistence = "PO",
        read_only: bool = False,
        header: CowHeader | None = None,
    ) -> Iterator[View]:
        """See `Joiner.view`. `base` may be a file or a device.

        An invalid store is loaded as the kernel loads it: its status says so, and nothing of it can
        be read. A store that some other loop device shows is not loaded for writing.
        """
        read_only = read_only or header is not None
        chunk_sectors = look_at_store(store, header).chunk_sectors
        with ExitStack() as stack:
            if not base.is_block_device():
                base = stack.enter_context(job_loop(self._runner, name, base, read_only=True))
            if not read_only:
                self._check_unused(store)
            device = stack.enter_context(job_loop(self._runner, name, store, read_only=read_only))
            if header is not None:
                device = stack.enter_context(self._patched(name, header, device))
            size_bytes = _size_bytes(base)
            table = snapshot_table(size_bytes, str(base), str(device), persistence, chunk_sectors)
            path = stack.enter_context(self._device(name, "view", table, read_only=read_only))
            opened = _open(path, writable=not read_only)
            stack.callback(opened.close)
            yield KernelView(self._mapper, part_name(name, "view"), path, opened)

    @contextmanager
    def trial(self, view: View, scratch: Path, name: str) -> Iterator[Trial]:
        """See `Joiner.trial`. Its store is a sparse file without a name in `scratch`."""
        view.sync()
        with ExitStack() as stack:
            file = scratch / part_name(name, "trial")
            try:
                # Of a job that was killed at this very place.
                file.unlink(missing_ok=True)
                descriptor = os.open(file, os.O_RDWR | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
                stack.callback(os.close, descriptor)
                stack.callback(file.unlink, missing_ok=True)
                os.ftruncate(descriptor, scratch_store_bytes(view.size_bytes))
            except OSError as error:
                raise LiveosError(
                    f"{clean(str(scratch))} takes no file for the trial: {error.strerror}.",
                    "The overlay is as it was. Name another folder for the work.",
                ) from error
            devices = stack.enter_context(ExitStack())
            loop = devices.enter_context(job_loop(self._runner, name, file, read_only=False))
            # What is not there any more cannot be left over.
            file.unlink()
            table = snapshot_table(
                view.size_bytes, str(view.path), str(loop), "P", DEFAULT_CHUNK_SECTORS
            )
            path = devices.enter_context(self._device(name, "trial", table, read_only=False))
            status = partial(snapshot_status, self._mapper, part_name(name, "trial"))
            yield KernelTrial(path, view, descriptor, status, devices.close)

    @contextmanager
    def mirror(self, view: View, target: Path, name: str, region_sectors: int) -> Iterator[Mirror]:
        """See `Joiner.mirror`. Nobody can write to the view through it: it is read-only."""
        with ExitStack() as stack:
            loop = stack.enter_context(job_loop(self._runner, name, target, read_only=False))
            sectors = view.size_bytes // SECTOR_BYTES
            table = mirror_table(sectors, str(view.path), str(loop), region_sectors)
            device = stack.enter_context(
                self._device(name, "mirror", table, read_only=True, refused=not_mirrored)
            )
            yield KernelMirror(self._runner, device.name)

    def clean_up(self, name: str) -> tuple[str, ...]:
        """See `Joiner.clean_up`."""
        return leftovers.clean_up(self._runner, self._mapper, name)

    @contextmanager
    def _member(self, image: Path, member: str, name: str) -> Iterator[Path]:
        """A file inside an image, which is mounted for it."""
        with Folder(image.parent).open(image.name) as file:
            found = identify(file.read(0, SHORT_HEAD_BYTES))
        filesystem = _FILESYSTEMS.get(found.kind) if found else None
        if filesystem is None:
            raise UnreadableError(
                f"{clean(image.name)} is neither a squashfs nor an EROFS.", "Nothing was changed."
            )
        folder = job_folder(name) / "base"
        folder.mkdir(mode=0o700, exist_ok=True)
        with ExitStack() as stack:
            stack.callback(forget_folder, name)
            stack.callback(folder.rmdir)
            self._runner.run(
                ["mount", "-t", filesystem, "-o", _MOUNT_OPTIONS, str(image), str(folder)],
                timeout=30.0,
            )
            stack.callback(leftovers.unmount, self._runner, folder)
            # Only to see that it is a plain file, reached without a link.
            with Folder(folder).open(member):
                pass
            yield folder / member

    @contextmanager
    def _patched(self, name: str, header: CowHeader, store: Path) -> Iterator[Path]:
        """The store's device with another header, which lies in memory."""
        file = job_folder(name) / "header"
        with ExitStack() as stack:
            stack.callback(file.unlink, missing_ok=True)
            file.write_bytes(header_chunk(header))
            loop = stack.enter_context(job_loop(self._runner, name, file, read_only=True))
            file.unlink()
            sectors = header.chunk_sectors
            table = patched_store_table(str(loop), str(store), _size_bytes(store), sectors)
            yield stack.enter_context(self._device(name, "store", table, read_only=True))

    @contextmanager
    def _device(
        self,
        name: str,
        part: str,
        table: str,
        *,
        read_only: bool,
        refused: Callable[[CommandError], LiveosError] | None = None,
    ) -> Iterator[Path]:
        """A dm device, seen to be one. `refused` says why the kernel did not make it."""
        device = part_name(name, part)
        try:
            self._mapper.create(device, table, read_only=read_only)
        except CommandError as error:
            raise (refused or _not_joined)(error) from error
        try:
            path = Path("/dev/mapper", device)
            if _UDEV_CONTROL.exists():
                self._runner.run(["udevadm", "settle", "--timeout=10"], timeout=15.0, ok=(0, 1))
            if not path.is_block_device():
                self._runner.run(["dmsetup", "mknodes", device], timeout=10.0)
            if not path.is_block_device():
                raise LiveosError(
                    f"{path}, the device that was just made, did not appear.",
                    "Nothing was changed. udev may hang: `udevadm settle`, then try again.",
                )
            yield path
        finally:
            remove_device(self._runner, self._mapper, device)

    def _check_unused(self, store: Path) -> None:
        """Raise LiveosError while another loop device shows the store: two would destroy it."""
        identity = file_identity(store)
        deadline = time.monotonic() + _LET_GO_SECONDS
        while used := loops_of(self._runner, identity):
            if time.monotonic() >= deadline:
                raise LiveosError(
                    f"{clean(store.name)} is in use by {used[0]}.",
                    "Nothing was changed. Close what uses it (losetup, dmsetup ls --tree); two "
                    "writers would destroy it.",
                )
            time.sleep(0.1)


def _open(path: Path, *, writable: bool) -> DirectDevice:
    try:
        return DirectDevice(path, writable=writable)
    except OSError as error:
        raise LiveosError(
            f"{path} cannot be opened: {error.strerror}.", "Nothing was changed."
        ) from error


def _size_bytes(device: Path) -> int:
    """The size of a block device. Raises LiveosError."""
    opened = _open(device, writable=False)
    opened.close()
    return opened.size_bytes


def _not_joined(error: CommandError) -> LiveosError:
    return LiveosError(
        f"The kernel did not join base and overlay: {_kernel_words(dmsetup_words(error))}",
        "Nothing was changed. The kernel log (dmesg) may tell more.",
    )


def _kernel_words(message: str) -> str:
    """What the kernel's error number means here; facts of dm-snapshot's own code."""
    for words, meaning in (
        ("No such device or address", "the overlay is no COW store."),
        ("Input/output error", "the overlay ends too early, or cannot be read."),
        ("Device or resource busy", "one of them is in use by another device."),
        ("Invalid argument", "the overlay's header, or its size, is none that it takes."),
    ):
        if words in message:
            return meaning
    return message
