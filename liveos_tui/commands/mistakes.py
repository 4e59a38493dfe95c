"""A parser that tells a mistake of usage in one sentence, with the word that was meant."""

import argparse
import re
import sys
from collections.abc import Iterable, Mapping
from typing import Any, NoReturn

from liveos_tui.errors import ExitCode, LiveosError
from liveos_tui.formats.text import clean


class UnknownWordError(LiveosError):
    """A word that is no command, no target, no option and no value of one."""

    exit_code = ExitCode.USAGE


_NEGATIVE = re.compile(r"-[0-9]")

_PLAIN = {
    r"^argument (\S+): expected one argument$": r"\1 needs a value.",
    r"^argument (\S+): not allowed with argument (\S+)$": r"\1 does not go with \2: name one.",
    r"^argument (\S+): ignored explicit argument .*$": r"\1 takes no value.",
    r"^argument (\S+): (takes .*)$": r"\1 \2.",
    r"^the following arguments are required: (.*)$": r"\1 is missing.",
}


_OTHER_NAMES: Mapping[str, str] = {
    **dict.fromkeys(("undo", "back", "revert"), "rollback"),
    **dict.fromkeys(("stop", "abort", "kill", "end"), "cancel"),
    **dict.fromkeys(("follow", "show", "log", "watch"), "attach"),
    **dict.fromkeys(("remove", "delete", "rm"), "forget"),
    **dict.fromkeys(("repair", "rescue", "fix", "fsck"), "recover"),
    **dict.fromkeys(("resize", "enlarge", "extend"), "grow"),
    **dict.fromkeys(("continue", "unpause"), "resume"),
    "ls": "list",
    "commit": "merge",
    "info": "status",
    "install": "install-to-stick",
}
"""What other programs call it."""


class Parser(argparse.ArgumentParser):
    """A parser that tells a mistake as the rest of the program does: what is wrong, what to do."""

    def _parse_optional(self, arg_string: str) -> Any:
        """See argparse, which takes "-5M" for an option: no option of ours is a number."""
        return None if _NEGATIVE.match(arg_string) else super()._parse_optional(arg_string)

    def error(self, message: str) -> NoReturn:
        """Raise UnknownWordError, after the usage; argparse's own words are made plain."""
        self.print_usage(sys.stderr)
        for pattern, plain in _PLAIN.items():
            message = re.sub(pattern, plain, message)
        hint = f"Nothing was done. `{self.prog} --help` tells what there is."
        raise UnknownWordError(message, hint)

    def _check_value(self, action: argparse.Action, value: str) -> None:
        """Name the choices, and the closest one, as for an option that is mistyped."""
        known = tuple(action.choices or ())
        # What is empty is told as such, later.
        if known and value and value not in known:
            *most, last = known
            which = f"{', '.join(most)} or {last}"
            name = action.option_strings[-1] if action.option_strings else f"`{self.prog}`"
            self.error(
                f"{name} takes {which}, not {clean(value)}.{meant(value, (*known, '--help'))}"
            )

    def check_not_empty(self, options: argparse.Namespace) -> None:
        """Raise UnknownWordError for an empty word: a variable of a script that is not set."""
        for action in self._actions:
            value = getattr(options, action.dest, None)
            if value == "" or (isinstance(value, list) and "" in value):
                name = next(iter(action.option_strings), action.metavar or action.dest)
                self.error(f"{name} is empty.")


def meant(word: str, known: Iterable[str]) -> str:
    """A question whether one of the words was meant that are `known`; "" where none is close."""
    words = tuple(known)
    name = _OTHER_NAMES.get(word, word)
    for sure in (name, f"jobs {name}"):
        if sure in words:
            return f" Did you mean {sure}?"
    from difflib import get_close_matches  # noqa: PLC0415 - only a mistake has to wait for it

    close = get_close_matches(word, words, n=1)
    return f" Did you mean {close[0]}?" if close else ""
