"""The names of two overlays on a stick, exchanged while the running root is suspended.

`StickFolder.exchange` does it at any other time: it looks folders and functions up when it is
called, which may be on the root.
"""

import ctypes
import os
from contextlib import ExitStack
from pathlib import Path

from liveos_tui.errors import LiveosError
from liveos_tui.formats.cow import SECTOR_BYTES

# RENAME_EXCHANGE: linux/fs.h.
_EXCHANGE = 2
_AS_BEFORE = "The running system is as it was."
_FOLDER = os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC
_FILE = os.O_RDWR | os.O_NOFOLLOW | os.O_CLOEXEC


class OverlayNames:
    """The two names on the stick, prepared so that to exchange them reads nothing."""

    def __init__(self, stack: ExitStack, folder: Path, overlay: str, second: str) -> None:
        try:
            self._folder = os.open(folder, _FOLDER)
            stack.callback(os.close, self._folder)
            self.second_file = os.open(second, _FILE, dir_fd=self._folder)
            stack.callback(os.close, self.second_file)
            status = os.fstat(self.second_file)
            now = os.stat(overlay, dir_fd=self._folder, follow_symlinks=False)
        except OSError as error:
            raise LiveosError(
                f"The overlays cannot be opened: {error.strerror}.", _AS_BEFORE
            ) from error
        self._overlay, self._second = os.fsencode(overlay), os.fsencode(second)
        self.overlay_path, self.second_path = folder / overlay, folder / second
        self.size_bytes = status.st_size
        self.has_holes = status.st_blocks * SECTOR_BYTES < status.st_size
        self._new = (status.st_dev, status.st_ino)
        self.same = (now.st_dev, now.st_ino) == self._new
        self._libc = ctypes.CDLL(None, use_errno=True)
        # Looked up once: the first look at a name in the library reads it.
        self._rename, self._syncfs = self._libc.renameat2, self._libc.syncfs
        self.exchanged()

    def exchanged(self) -> bool:
        """Whether the second file bears the overlay's name."""
        status = os.stat(self._overlay, dir_fd=self._folder, follow_symlinks=False)
        return (status.st_dev, status.st_ino) == self._new

    def exchange(self) -> None:
        """Exchange the names, at once. Raises OSError."""
        folder = self._folder
        if self._rename(folder, self._second, folder, self._overlay, _EXCHANGE) != 0:
            number = ctypes.get_errno()
            raise OSError(number, os.strerror(number))

    def sync(self) -> None:
        """Wait until the names are on the medium. Raises OSError.

        syncfs alone does not have the device write out its cache on vfat; fsync of a folder does.
        """
        if self._syncfs(self._folder) != 0:
            number = ctypes.get_errno()
            raise OSError(number, os.strerror(number))
        os.fsync(self._folder)
