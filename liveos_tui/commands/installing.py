"""The command `install-to-stick`: this program on the stick's own partition."""

from pathlib import Path

from liveos_tui.commands.output import say
from liveos_tui.errors import ExitCode
from liveos_tui.formats.text import shell_word
from liveos_tui.jobs.installing import Installed, install
from liveos_tui.live.recognise import absolute
from liveos_tui.system.bundle import NAME, own_bundle, read_bundle
from liveos_tui.system.files import Folder
from liveos_tui.system.probes import Probes

_ON_A_BOOTED_STICK = f"/run/initramfs/live/{NAME}/{NAME}"


def install_to_stick(target: str, named: str | None) -> int:
    """Copy the bundle that was named, or this program's own, and tell how it is started."""
    bundle = own_bundle() if named is None else read_bundle(Folder(Path(absolute(named))))
    installed = install(Probes(), bundle, target, lambda words: say(f"{words}\n"))
    name, what = installed.place.name, f"{NAME} {bundle.version}"
    if not installed.written:
        say(f"{what} was on {name} before, and is whole. Nothing was written.\n")
    else:
        replaced = f", in the place of {installed.replaced}" if installed.replaced else ""
        say(f"{what} is on {name}{replaced}. It was read back, and is the same.\n")
    say(_how_to_start(installed))
    return ExitCode.WELL


def _how_to_start(installed: Installed) -> str:
    place = installed.place
    start = (
        f"Start it on the booted stick, as root:  sh {_ON_A_BOOTED_STICK}\n"
        f"One word for it until you log out:  alias {NAME}='sh {_ON_A_BOOTED_STICK}'\n"
    )
    if place.mount_point is None or place.this_system:
        return start
    here = shell_word(str(Path(place.mount_point) / NAME / NAME))
    return f"{start}Start it here:  sh {here} {shell_word(place.target)}\n"
