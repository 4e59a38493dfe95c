"""Base and COW store joined in user space, on plain files: without root, without device-mapper.

What programs look at are copies in sparse files; what they change is found by comparing. Files are
called `liveos-tui-NAME-...`, as the kernel's devices are, and lie in the folder for the work.
"""

import os
from collections.abc import Iterator
from contextlib import AbstractContextManager, ExitStack, contextmanager, suppress
from pathlib import Path

from liveos_tui.errors import LiveosError, UnreadableError
from liveos_tui.formats.cow import DEFAULT_CHUNK_SECTORS, SECTOR_BYTES, CowHeader
from liveos_tui.formats.cow_writer import header_chunk
from liveos_tui.formats.dmtable import Persistence, SnapshotIll, SnapshotStatus
from liveos_tui.formats.images import SHORT_HEAD_BYTES, ImageKind, identify
from liveos_tui.formats.mirror_status import mirror_table
from liveos_tui.formats.text import clean
from liveos_tui.live.words import size as size_words
from liveos_tui.practice.devicemapper import UserSpaceDeviceMapper, device_word
from liveos_tui.practice.files import BlockFile, BlockIoError, SparseFile
from liveos_tui.system.files import Folder
from liveos_tui.system.joining import (
    look_at_store,
    part_name,
    patched_store_table,
    refused,
    snapshot_table,
)
from liveos_tui.system.metrics import filesystem_usage
from liveos_tui.system.runner import Runner
from liveos_tui.system.squashfs import members, read_all
from liveos_tui.system.views import Mirror, Trial, View

_PARTS = ("base", "header", "view", "trial")
_CHUNK_BYTES = DEFAULT_CHUNK_SECTORS * SECTOR_BYTES
_PIECE_BYTES = 1 << 20


class UserSpaceView:
    """A `views.View` of the device `name` in a user-space device-mapper; its copy is `copy`."""

    def __init__(self, mapper: UserSpaceDeviceMapper, name: str, copy: Path) -> None:
        self._mapper = mapper
        self._name = name
        self._copy = copy
        self._copy_is_fresh = False

    @property
    def path(self) -> Path:
        """See `View.path`. Raises LiveosError when there is no room for a copy."""
        if not self._copy_is_fresh:
            self._copy.unlink(missing_ok=True)
            copy_view(self, self._copy)
            self._copy_is_fresh = True
        return self._copy

    @property
    def size_bytes(self) -> int:
        """See `View.size_bytes`."""
        return self._mapper.size_bytes(self._name)

    def read(self, offset: int, size: int) -> bytes:
        """See `View.read`. Raises ViewError."""
        try:
            return self._mapper.read(self._name, offset, size)
        except BlockIoError as error:
            raise refused("read", offset, self.status(), error.message) from error

    def write(self, offset: int, data: bytes) -> None:
        """See `View.write`. What precedes the refused chunk was written. Raises ViewError."""
        self._copy_is_fresh = False
        try:
            self._mapper.write(self._name, offset, data)
        except BlockIoError as error:
            raise refused("written", offset, self.status(), error.message) from error

    def sync(self) -> None:
        """See `View.sync`. Raises ViewError."""
        try:
            self._mapper.sync(self._name)
        except BlockIoError as error:
            raise refused("written out", 0, self.status(), error.message) from error

    def status(self) -> SnapshotStatus | SnapshotIll:
        """See `View.status`."""
        statuses = {device.name: device.lines[0].status for device in self._mapper.status()}
        status = statuses[self._name]
        assert isinstance(status, SnapshotStatus | SnapshotIll)  # noqa: S101 - it is a snapshot
        return status

    @contextmanager
    def mirrored(self, target: Path, device: str, region_sectors: int) -> Iterator[Mirror]:
        """A mirror called `device` that copies this view to a file."""
        sectors = self.size_bytes // SECTOR_BYTES
        source = f"/dev/mapper/{self._name}"
        table = mirror_table(sectors, source, device_word(target), region_sectors)
        self._mapper.create(device, table, read_only=True)
        try:
            yield UserSpaceMirror(self._mapper, device)
        finally:
            self._mapper.remove(device)


class UserSpaceMirror:
    """A `views.Mirror`: it copies while it is waited for."""

    def __init__(self, mapper: UserSpaceDeviceMapper, name: str) -> None:
        self._mapper = mapper
        self._name = name

    def wait(self, seconds: float) -> bytes:
        """See `Mirror.wait`."""
        self._mapper.copy(self._name, seconds)
        lines = {device.name: device.lines for device in self._mapper.status()}[self._name]
        return "".join(f"{line}\n" for line in lines).encode()


class UserSpaceTrial:
    """A `views.Trial`: a copy of a view, in which what differs is found."""

    def __init__(self, view: View, path: Path) -> None:
        self.path = path
        self._view = view
        self._size_bytes = view.size_bytes

    def changes(self) -> Iterator[tuple[int, bytes]]:
        """See `Trial.changes`. Raises LiveosError when a program has cut the file."""
        copy = BlockFile(self.path, writable=False)
        self.path.unlink()
        return self._differences(copy)

    def _differences(self, copy: BlockFile) -> Iterator[tuple[int, bytes]]:
        try:
            for piece in range(0, self._size_bytes, _PIECE_BYTES):
                size = min(_PIECE_BYTES, self._size_bytes - piece)
                new, old = copy.read(piece, size), self._view.read(piece, size)
                if new == old:
                    continue
                for start in range(0, size, _CHUNK_BYTES):
                    data = new[start : start + _CHUNK_BYTES]
                    if data != old[start : start + _CHUNK_BYTES]:
                        yield piece + start, data
        finally:
            copy.close()


class UserSpaceJoiner:
    """A `views.Joiner` on plain files. `scratch`: a folder with room for some copies of a base.

    A job has one view, one trial and one mirror at a time.
    """

    def __init__(self, runner: Runner, scratch: Path) -> None:
        self._runner = runner
        self._scratch = scratch

    @contextmanager
    def base(self, image: Path, member: str | None, name: str) -> Iterator[Path]:
        """See `Joiner.base`. A member of a squashfs is read out of it, nothing else is."""
        if member is None:
            yield image
            return
        with Folder(image.parent).open(image.name) as file:
            found = identify(file.read(0, SHORT_HEAD_BYTES))
        if found is not None and found.kind is ImageKind.EROFS:
            raise LiveosError(
                f"{clean(image.name)} is an EROFS, which only the kernel can look into.",
                "Nothing was changed. Run it as root on a system that has device-mapper.",
            )
        sizes = members(self._runner, image, member)
        if member not in sizes:
            raise UnreadableError(
                f"{clean(member)} is not in {clean(image.name)}.", "Nothing was changed."
            )
        path = self._scratch / part_name(name, "base")
        with _new_file(path):
            with _room(path, sizes[member]), SparseFile(path) as base:
                read_all(image, member, sizes[member], base.append)
            yield path

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
        """See `Joiner.view`.

        An invalid store is loaded as the kernel loads it: its status says so, and nothing of it can
        be read. A store is locked (flock) while it is open for writing.
        """
        read_only = read_only or header is not None
        chunk_sectors = look_at_store(store, header).chunk_sectors
        with ExitStack() as stack:
            mapper = stack.enter_context(UserSpaceDeviceMapper())
            word = device_word(store)
            if header is not None:
                file = self._scratch / part_name(name, "header")
                stack.enter_context(_new_file(file))
                file.write_bytes(header_chunk(header))
                joined = part_name(name, "store")
                store_bytes = store.stat().st_size // SECTOR_BYTES * SECTOR_BYTES
                table = patched_store_table(device_word(file), word, store_bytes, chunk_sectors)
                mapper.create(joined, table, read_only=True)
                word = f"/dev/mapper/{joined}"
            size_bytes = base.stat().st_size // SECTOR_BYTES * SECTOR_BYTES
            table = snapshot_table(size_bytes, device_word(base), word, persistence, chunk_sectors)
            device = part_name(name, "view")
            mapper.create(device, table, read_only=read_only)
            copy = self._scratch / device
            with _new_file(copy):
                yield UserSpaceView(mapper, device, copy)

    @contextmanager
    def trial(self, view: View, scratch: Path, name: str) -> Iterator[Trial]:
        """See `Joiner.trial`. A copy, which `clean_up` finds in the joiner's own folder."""
        path = scratch / part_name(name, "trial")
        with _new_file(path):
            copy_view(view, path)
            yield UserSpaceTrial(view, path)

    def mirror(
        self, view: View, target: Path, name: str, region_sectors: int
    ) -> AbstractContextManager[Mirror]:
        """See `Joiner.mirror`."""
        assert isinstance(view, UserSpaceView)  # noqa: S101 - a joiner's views are its own
        return view.mirrored(target, part_name(name, "mirror"), region_sectors)

    def clean_up(self, name: str) -> tuple[str, ...]:
        """See `Joiner.clean_up`. Devices here end with their process; files are left."""
        gone = []
        for part in _PARTS:
            path = self._scratch / part_name(name, part)
            try:
                path.unlink()
            except FileNotFoundError:
                continue
            except OSError as error:
                raise LiveosError(
                    f"{clean(str(path))} cannot be removed: {error.strerror}.",
                    "It is a copy, and not needed any more.",
                ) from error
            gone.append(f"file {clean(str(path))}")
        return tuple(gone)


def copy_view(view: View, path: Path) -> None:
    """Write all of a view to a new sparse file. Raises LiveosError when there is no room."""
    size_bytes = view.size_bytes
    with _room(path, size_bytes), SparseFile(path) as file:
        for offset in range(0, size_bytes, _PIECE_BYTES):
            file.append(view.read(offset, min(_PIECE_BYTES, size_bytes - offset)))


@contextmanager
def _new_file(path: Path) -> Iterator[None]:
    """The name of a file that is made and removed here; one of a killed job is taken over."""
    path.unlink(missing_ok=True)
    try:
        yield
    finally:
        with suppress(FileNotFoundError):
            path.unlink()


@contextmanager
def _room(path: Path, size_bytes: int) -> Iterator[None]:
    """Write a file of `size_bytes`: the room is looked for before, and its lack told in words."""
    folder = path.parent
    free = filesystem_usage(folder).free_bytes
    if free < size_bytes:
        raise LiveosError(
            f"The work needs {size_words(size_bytes)} in {clean(str(folder))}, where "
            f"{size_words(free)} is free.",
            "The overlay is as it was. Make room there, or name another folder for the work.",
        )
    try:
        yield
    except OSError as error:
        raise LiveosError(
            f"{clean(str(path))} cannot be written: {os.strerror(error.errno or 0)}.",
            "The overlay is as it was. Make room there, or name another folder for the work.",
        ) from error
