"""What a command says, and what it asks."""

import select
import shutil
import sys
import termios
from contextlib import suppress

from liveos_tui.errors import ExitCode, LiveosError

_HEARS_SECONDS = 0.5


class NotAskedError(LiveosError):
    """A yes is needed, and there is nobody to ask."""

    exit_code = ExitCode.USAGE


def harmless(words: str) -> str:
    r"""`words` with nothing that a terminal could act on, but for line ends and `\r` (progress).

    Everything from outside has passed `clean` long before; this is the last door.
    """
    if words.isascii() and words.replace("\n", "").isprintable():
        return words
    return "".join(
        c if c.isprintable() or c in "\n\r" else c.encode("unicode_escape").decode("ascii")
        for c in words
    )


def say(words: str) -> None:
    """Print to standard output. Raises LiveosError where it cannot be written (a full disk)."""
    try:
        print(harmless(words), end="", flush=True)
    except BrokenPipeError:
        raise
    except OSError as error:
        # What is still in the buffer would fail again at the end.
        sys.stdout = sys.stderr
        raise LiveosError(f"The output could not be written: {error.strerror}.") from error


def say_paragraphs(*texts: str) -> None:
    """Print texts to standard output, broken between words. Raises LiveosError."""
    from liveos_tui.plans.text import wrapped  # noqa: PLC0415 - `status` does not wait for it

    say("".join(f"{line}\n" for text in texts for line in wrapped(text)))


def complain(error: LiveosError) -> int:
    """Print an error to standard error; its exit code.

    A terminal gets lines that are broken between words. A script, which looks for words that belong
    together, gets two lines.
    """
    texts = [f"liveos-tui: {error.message}", *filter(None, [error.hint])]
    if sys.stderr.isatty():
        from liveos_tui.plans.text import wrapped  # noqa: PLC0415 - only an error has to wait

        # The last column stays free: some terminals go to the next line from there.
        width = shutil.get_terminal_size().columns - 1
        texts = [line for text in texts for line in wrapped(text, width=width)]
    for text in texts:
        print(harmless(text), file=sys.stderr)
    return error.exit_code


def can_ask() -> bool:
    """Whether a person is at both ends."""
    return sys.stdin.isatty() and sys.stdout.isatty()


def _forget_what_was_typed() -> None:
    """What was typed before a question was there is no answer to it."""
    with suppress(termios.error, ValueError, OSError):
        termios.tcflush(sys.stdin, termios.TCIFLUSH)


def ask(question: str) -> str | None:
    """The answer to a question, None where the terminal has gone (Ctrl+D).

    Raises KeyboardInterrupt, after the end of the line.
    """
    try:
        _forget_what_was_typed()
        say(question)
        # A Ctrl+C that comes right before a read would only be heard when that has ended.
        while not select.select([sys.stdin], [], [], _HEARS_SECONDS)[0]:
            pass
        answer = sys.stdin.readline()
    except KeyboardInterrupt:
        say("\n")
        raise
    if not answer:
        say("\n")
        return None
    return answer.strip()
