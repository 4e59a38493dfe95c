"""What the console knows at one moment: the values that screens draw."""

import os
from dataclasses import dataclass
from datetime import datetime
from enum import Enum

from liveos_tui.live.model import AttachedDevice, LiveSystem
from liveos_tui.live.place import Place


class TroubleKind(Enum):
    """Why there are no new figures. The value is the word that is shown."""

    GONE = "GONE"
    ERROR = "ERROR"
    SILENT = "SILENT"


@dataclass(frozen=True, slots=True)
class Trouble:
    """What keeps new figures from coming, and what to do about it."""

    kind: TroubleKind
    message: str
    hint: str = ""


@dataclass(frozen=True, slots=True)
class Observation:
    """How the target was when it was last seen.

    `history` are points (seconds, used bytes of the overlay). `seen` is when `system` was true.
    `waiting` says that the first answer takes long enough to be mentioned.
    """

    target: str
    system: LiveSystem | None = None
    history: tuple[tuple[float, int], ...] = ()
    seen: datetime | None = None
    trouble: Trouble | None = None
    waiting: bool = False

    @property
    def old(self) -> bool:
        """Whether the figures may no longer be true."""
        return self.trouble is not None

    @property
    def names(self) -> set[str]:
        """How a plan may name the target: as it was typed, or with the whole path of a folder."""
        return {self.target, os.path.abspath(self.target)}  # noqa: PTH100 - a name

    def shows(self, place: Place) -> bool:
        """Whether `place` is on the stick that is looked at."""
        target = self.system.target if self.system else None
        if target is None:
            return place.target in self.names and (place.number is None or self.old)
        return place.is_on(self.names, target.label, target.uuid, target.mount_point)


@dataclass(frozen=True, slots=True)
class DeviceList:
    """The attached devices; `devices` is None until they have been looked for."""

    devices: tuple[AttachedDevice, ...] | None = None
    trouble: Trouble | None = None
    waiting: bool = False
