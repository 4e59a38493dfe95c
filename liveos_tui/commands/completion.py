"""`completion`: the scripts that shells complete by. `make completion` makes them (shtab)."""

from importlib.resources import files

from liveos_tui.commands.output import say
from liveos_tui.errors import ExitCode

FILES = {"bash": "liveos-tui.bash", "zsh": "_liveos-tui", "fish": "liveos-tui.fish"}
"""The script of each shell, as it is called where that shell looks for it."""


def completion(shell: str) -> int:
    """Print the script of a shell."""
    say((files("liveos_tui") / "completion" / FILES[shell]).read_text(encoding="utf-8"))
    return ExitCode.WELL
