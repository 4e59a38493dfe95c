"""The frozen root as a view: what a new image is made of and compared with."""

from liveos_tui.errors import LiveosError
from liveos_tui.formats.dmtable import SnapshotIll, SnapshotStatus
from liveos_tui.system.direct_io import DirectDevice
from liveos_tui.system.dm_control import DmControl, device_path
from liveos_tui.system.root_devices import RootNames, snapshot_state

_AS_BEFORE = "The running system is as it was."


class FrozenView:
    """A `views.View` of the frozen root. A context manager. Offsets and sizes are bytes."""

    def __init__(self, control: DmControl, names: RootNames) -> None:
        self._control = control
        self._name = names.frozen
        self.path = device_path(control.number(names.frozen))
        self._device = DirectDevice(self.path, writable=False)
        self._open = True

    def __enter__(self) -> "FrozenView":
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Let go of the device, which stays. Can be called again."""
        if self._open:
            self._open = False
            self._device.close()

    @property
    def size_bytes(self) -> int:
        """See `View.size_bytes`."""
        return self._device.size_bytes

    def read(self, offset: int, size: int) -> bytes:
        """See `View.read`."""
        try:
            return self._device.read(offset, size)
        except OSError as error:
            self.check()
            raise LiveosError(
                f"The frozen view cannot be read at byte {offset}: {error.strerror}.",
                f"{_AS_BEFORE} The stick may be failing: copy it before anything else.",
            ) from error

    def write(self, offset: int, data: bytes) -> None:  # noqa: ARG002 - a view's own signature
        """Refused: what is frozen stays as it is."""
        raise LiveosError("The frozen view is not written.", _AS_BEFORE)

    def sync(self) -> None:
        """Nothing was written, so there is nothing to wait for."""

    def status(self) -> SnapshotStatus | SnapshotIll:
        """See `View.status`."""
        return snapshot_state(self._control, self._name)

    def fill(self) -> float:
        """How full the scratch store is, 0 to 1."""
        match self.status():
            case SnapshotStatus(allocated, total, _) if total:
                return min(1.0, allocated / total)
        return 1.0

    def check(self) -> None:
        """Raise LiveosError when the view is lost."""
        if isinstance(self.status(), SnapshotIll):
            raise LiveosError(
                "The scratch store is full: the system has overwritten more than it holds.",
                "The frozen view is lost; the running system has noticed nothing. Begin anew with "
                "a larger scratch store, or when less is written.",
            )
