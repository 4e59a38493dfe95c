"""Make the completion scripts of liveos_tui/completion anew: `make completion`.

shtab writes them from the parser of the command line. What it cannot know is added here: what a
TARGET, a folder and a file are, each in the words of the shell.
"""

import argparse
from pathlib import Path

import shtab

from liveos_tui.commands.arguments import parser
from liveos_tui.commands.completion import FILES

FOLDER = Path(__file__).parents[1] / "liveos_tui" / "completion"

# Block devices but memory and loops, and where a stick with a LiveOS folder is mounted.
_STICKS = (
    "lsblk --noheadings --raw --paths --exclude 1,7 --output NAME,MOUNTPOINT 2>/dev/null | "
    'while read -r device folder; do echo "$device"; '
    '[ ! -d "$folder/LiveOS" ] || echo "$folder"; done'
)
_PREAMBLES = {
    "bash": f"""\
_liveos_tui_targets() {{
  compgen -W "live $({_STICKS})" -- "$1"
  compgen -d -- "$1"
}}
# `liveos-tui TARGET` is `liveos-tui console TARGET`.
_shtab_liveos_tui_pos_0_COMPGEN=_liveos_tui_targets
""",
    "zsh": f"""\
_liveos_tui_targets() {{
  local -a sticks
  sticks=(live ${{(f)"$({_STICKS})"}})
  _alternative 'sticks:stick:compadd -a sticks' 'folders:folder:_files -/'
}}
_liveos_tui_first() {{
  _alternative 'commands:command:_shtab_liveos_tui_commands' 'targets:target:_liveos_tui_targets'
}}
_shtab_liveos_tui_options+=('1: :_liveos_tui_first' '*::: :->liveos-tui')
_shtab_liveos_tui_defaults_added=1
""",
    "fish": f"""\
function _liveos_tui_targets
  echo live
  sh -c '{_STICKS}'
  __fish_complete_directories (commandline -ct)
end
""",
}
# fish forgets all that was said before shtab's own lines.
_ENDS = {
    "fish": (
        "complete -c liveos-tui -n '_shtab_liveos_tui_using; "
        "and test $_shtab_liveos_tui_npos -eq 0' -ka '(_liveos_tui_targets)'\n"
    )
}
_TARGETS = {
    "bash": "_liveos_tui_targets",
    "zsh": "_liveos_tui_targets",
    "fish": "(_liveos_tui_targets)",
}
_PLACES = {"TARGET": _TARGETS, "DIR": shtab.DIRECTORY, "FILE": shtab.FILE}


def script(shell: str) -> str:
    """The completion script of a shell."""
    top = parser()
    for action in top._actions:
        if isinstance(action, argparse._SubParsersAction):
            for listed in action._choices_actions:
                command = action.choices[listed.dest]
                # One line beside the command's name, in the shells that show some.
                command.description = listed.help
                _add_places(command)
    return str(shtab.complete(top, shell, preamble=_PREAMBLES[shell])) + _ENDS.get(shell, "")


def _add_places(command: argparse.ArgumentParser) -> None:
    for action in command._actions:
        if isinstance(action.metavar, str) and action.metavar in _PLACES:
            action.complete = _PLACES[action.metavar]  # type: ignore[attr-defined]


if __name__ == "__main__":
    FOLDER.mkdir(exist_ok=True)
    for shell, name in FILES.items():
        (FOLDER / name).write_text(script(shell), encoding="utf-8")
