"""A mirror in user space: copies one device to another, region by region, and says so.

As the kernel's with a log in memory, `sync` and `handle_errors` (dm-raid1.c, dm-log.c): a region
that could not be copied is not tried again and never counted, and its leg's letter becomes S.
"""

import time
from dataclasses import dataclass

from liveos_tui.formats.dmtable import MirrorStatus
from liveos_tui.formats.mirror_status import Health
from liveos_tui.practice.files import Backing, BlockIoError


@dataclass(slots=True)
class _Leg:
    word: str
    backing: Backing
    health: Health = Health.ALIVE


class Mirror:
    """Two devices of the same bytes, once `copy` has come to its end. `words` name them."""

    def __init__(
        self,
        source: Backing,
        target: Backing,
        words: tuple[str, str],
        size_bytes: int,
        region_bytes: int,
    ) -> None:
        self._source, self._target = _Leg(words[0], source), _Leg(words[1], target)
        self._size_bytes = size_bytes
        self._region_bytes = region_bytes
        self._regions = -(-size_bytes // region_bytes)
        self._next = 0
        self._copied = 0

    @property
    def status(self) -> MirrorStatus:
        """What `dmsetup status` says of it."""
        legs = (self._source, self._target)
        return MirrorStatus(
            tuple(leg.word for leg in legs),
            self._copied,
            self._regions,
            "".join(leg.health for leg in legs),
        )

    def copy(self, seconds: float) -> None:
        """Copy one region, and others until the time is over."""
        end = time.monotonic() + seconds
        while self._next < self._regions:
            self._copy_region(self._next)
            self._next += 1
            if time.monotonic() >= end:
                return

    def _copy_region(self, region: int) -> None:
        offset = region * self._region_bytes
        size = min(self._region_bytes, self._size_bytes - offset)
        leg = self._source
        try:
            data = leg.backing.read(offset, size)
            leg = self._target
            leg.backing.write(offset, data)
        except BlockIoError:
            leg.health = Health.COPY_FAILED
        else:
            self._copied += 1

    def read(self, offset: int, size: int) -> bytes:
        """See `Backing.read`."""
        return self._source.backing.read(offset, size)

    def write(self, offset: int, data: bytes) -> None:
        """See `Backing.write`."""
        self._source.backing.write(offset, data)
        self._target.backing.write(offset, data)

    def sync(self) -> None:
        """See `Backing.sync`."""
        self._target.backing.sync()

    def close(self) -> None:
        """See `Backing.close`."""
        self._target.backing.close()
        self._source.backing.close()
