"""A stick that is written without a worker: mounted if it has to be, and locked."""

from contextlib import ExitStack

from liveos_tui.live.place import Place
from liveos_tui.live.placing import place_of
from liveos_tui.live.recognise import recognise
from liveos_tui.system.probes import Probes
from liveos_tui.system.stick_mount import mounted_stick
from liveos_tui.system.stick_writing import StickFolder


def locked_stick(
    held: ExitStack, probes: Probes, target: str, name: str
) -> tuple[StickFolder, Place]:
    """The stick of a target, until `held` is closed. `name` is of the mount, if any.

    Raises LiveosError.
    """
    recognised = recognise(probes, target)
    with recognised.hold:
        place = place_of(probes, recognised.site, target)
    if place.number is not None and place.device is not None:
        mounting = mounted_stick(probes, place.number, place.device, writable=True, name=name)
        top = held.enter_context(mounting)
    else:
        top = probes.path(place.mount_point or "/")
    stick = held.enter_context(StickFolder(top))
    stick.lock(place.live_folder)
    return stick, place
