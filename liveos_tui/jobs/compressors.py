"""Whether the kernels of a stick read an image that is compressed otherwise than theirs is.

A plan asks this before it is shown, and its job once more.
"""

from collections.abc import Callable, Iterable
from contextlib import suppress
from pathlib import Path

from liveos_tui.errors import LiveosError
from liveos_tui.formats.kernel_config import squashfs_compressors
from liveos_tui.formats.text import clean
from liveos_tui.system.e2fsprogs import file_bytes, folder_names
from liveos_tui.system.files import Folder
from liveos_tui.system.runner import Runner

_CONFIG, _CONFIG_BYTES = "config-", 1 << 20


class UnreadCompressionError(LiveosError):
    """The stick's kernels cannot read the wished compression, or nothing says that they can."""


def check_in_image(runner: Runner, root: Path, compressor: str) -> None:
    """Ask the kernels' configurations in an ext file system. Raises UnreadCompressionError.

    And LiveosError where one cannot be read.
    """
    names: list[str] = []
    with suppress(LiveosError):
        names = [each.name for each in folder_names(runner, root, "/boot")]
    _check(names, lambda name: file_bytes(runner, root, f"/boot/{name}", _CONFIG_BYTES), compressor)


def check_in_folder(boot: Folder, compressor: str) -> None:
    """Ask those in /boot of a system that runs. Raises as `check_in_image` does."""

    def read(name: str) -> bytes:
        with boot.open(name) as file:
            return file.read(0, min(_CONFIG_BYTES, file.identity.size_bytes))

    names: tuple[str, ...] = ()
    with suppress(LiveosError):
        names = boot.names()
    _check(names, read, compressor)


def _check(names: Iterable[str], read: Callable[[str], bytes], compressor: str) -> None:
    kernels = sorted(name for name in names if name.startswith(_CONFIG))
    if not kernels:
        raise UnreadCompressionError(
            f"Whether the stick's kernel reads {compressor} is not known: there is no "
            f"/boot/{_CONFIG}VERSION.",
            "Nothing was written. Merge with the old image's compressor (leave --comp out).",
        )
    for name in kernels:
        config = read(name).decode("utf-8", "replace")
        if compressor not in squashfs_compressors(config):
            raise UnreadCompressionError(
                f"The kernel {clean(name.removeprefix(_CONFIG))} of the stick cannot read "
                f"{compressor}.",
                "Nothing was written. Choose another compressor (--comp), or leave it out.",
            )
