"""What is asked before a stick is written to: a yes, or the stick's name."""

from collections.abc import Callable

from liveos_tui.commands.output import NotAskedError, ask, can_ask, say, say_paragraphs
from liveos_tui.plans.model import Confirmation, Plan

_TRIES = 3


def check_can_ask(about: str, hint: str, *, as_json: bool) -> None:
    """Raise NotAskedError, with `hint`, where nobody is there to say yes to what this is about."""
    if as_json or not can_ask():
        raise NotAskedError(
            f"{about}: this needs a yes, and there is no terminal to ask for it.",
            f"Nothing was changed. {hint}",
        )


def says_yes(*paragraphs: str) -> bool:
    """Whether the person says yes to that. Raises KeyboardInterrupt."""
    say_paragraphs(*paragraphs)
    return (ask("Type yes to go on: ") or "").lower() == "yes"


def confirms(plan: Plan, *paragraphs: str) -> bool:
    """Whether the person confirms as the plan wants it, told that. Raises KeyboardInterrupt."""
    if plan.confirmation is Confirmation.LABEL:
        return types_name(plan.place.name, *paragraphs)
    return says_yes(*paragraphs)


def types_name(name: str, *paragraphs: str) -> bool:
    """Whether the person types the stick's name, told that. Raises KeyboardInterrupt."""
    say_paragraphs(*paragraphs)
    for _ in range(_TRIES):
        typed = ask(f"Type the stick's name ({name}) to go on, or Enter to change nothing: ")
        if not typed:
            return False
        if typed == name:
            return True
        say(f"That is not its name: it is {name}. Nothing was changed.\n")
    return False


def unless_stopped(question: Callable[[], bool]) -> bool:
    """The answer to a question before anything has begun: Ctrl+C is a no."""
    try:
        return question()
    except KeyboardInterrupt:
        return False
