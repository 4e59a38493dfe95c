"""Which stick is meant: what is checked again before each step that writes."""

from collections.abc import Collection
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Place:
    """The stick and the files on it that a plan is about, and how they are known again.

    `target` is what the person named ("live", a device, a mount point, a folder). `mount_point` is
    where the stick's file system was seen, None where a job has to mount `device` itself. `number`
    ("8:17"), `diskseq` and `boot_id` hold only for one boot of the machine; `serial`, `uuid` and
    `label` hold always. `overlay`, `image` and `base` (inside the image) are raw paths. `name` is
    how the stick is told to people: its label, or its folder. `store_header` are the first 16 bytes
    of the overlay's file in hexadecimal, `overlay_bytes` its size, when it was planned for.
    """

    target: str
    name: str
    overlay: str
    image: str | None = None
    base: str | None = None
    live_folder: str = "LiveOS"
    mount_point: str | None = None
    device: str | None = None
    label: str | None = None
    uuid: str | None = None
    filesystem: str | None = None
    model: str | None = None
    serial: str | None = None
    size_bytes: int | None = None
    number: str | None = None
    diskseq: str | None = None
    boot_id: str | None = None
    this_system: bool = False
    store_header: str = ""
    overlay_bytes: int = 0

    def is_on(
        self, names: Collection[str], label: str | None, uuid: str | None, mount_point: str | None
    ) -> bool:
        """Whether this is the stick that has one of these names now, and what else is known of it.

        A device's name may belong to another stick by now, so its uuid decides where it is known.
        Folders that stand for sticks are copies of each other at times: only their path counts.
        """
        named = self.target in names
        if self.number is not None and None not in {self.uuid, uuid}:
            return self.uuid == uuid and (self.label == label or named)
        return named or (self.mount_point is not None and self.mount_point == mount_point)

    def is_same_stick(self, other: "Place") -> bool:
        """Whether both are of one stick, as far as that is known."""
        return self.is_on({other.target}, other.label, other.uuid, other.mount_point)
