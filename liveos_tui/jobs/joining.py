"""What joins base and overlay on this machine: for a job, and for a plan that looks inside."""

import os
import shutil
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

from liveos_tui.live.booted import is_live
from liveos_tui.live.place import Place
from liveos_tui.practice.views import UserSpaceJoiner
from liveos_tui.system.kernel_views import KernelJoiner, kernel_has_device_mapper
from liveos_tui.system.private_folder import private_folder, remove_tree, state_folder
from liveos_tui.system.probes import Probes
from liveos_tui.system.views import Joiner

_DISK = Path("/var/tmp")  # noqa: S108 - the folder in it is looked at before it is used
# Copies of a base image are some GiB: more than the memory that a small machine gives to /run.
_ENOUGH_BYTES = 4 << 30
_LOOK = "look-"


def joiner_for(held: ExitStack, probes: Probes, name: str, scratch: Path) -> Joiner:
    """The kernel's device-mapper where it can be used, the one in user space elsewhere."""
    if probes.privileged and kernel_has_device_mapper(probes.runner):
        return KernelJoiner(probes.runner)
    # A live system's disk is its overlay, into which nothing is written.
    if not is_live(probes) and shutil.disk_usage(scratch).free < _ENOUGH_BYTES:
        scratch = private_folder(_DISK / f"liveos-tui-{name}")
        held.callback(remove_tree, scratch)
    return UserSpaceJoiner(probes.runner, scratch)


@contextmanager
def looked_into(probes: Probes, place: Place, folder: Path) -> Iterator[Path]:
    """The file system that base and overlay make, to be read for a moment.

    `folder` is where the stick can be read. Nothing is written to it. Raises LiveosError.
    """
    name = f"{_LOOK}{os.getpid()}"
    with ExitStack() as held:
        scratch = private_folder(state_folder() / name)
        held.callback(remove_tree, scratch)
        joiner = joiner_for(held, probes, name, scratch)
        _clean_up(joiner, name)
        base = held.enter_context(joiner.base(folder / (place.image or ""), place.base, name))
        store = folder / place.overlay
        yield held.enter_context(joiner.view(base, store, name, read_only=True)).path


def _clean_up(joiner: Joiner, own: str) -> None:
    """Take down what looks have left whose process was killed, also one with the `own` name."""
    joiner.clean_up(own)
    for left in state_folder().glob(f"{_LOOK}*"):
        if not Path("/proc", left.name.removeprefix(_LOOK)).exists():
            joiner.clean_up(left.name)
            remove_tree(_DISK / f"liveos-tui-{left.name}")
            remove_tree(left)
