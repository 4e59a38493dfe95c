"""A screen that has the workshop do things: one at a time, in a thread, never waited for."""

from collections.abc import Callable
from typing import TypeVar

from liveos_tui.console.lines import Brush
from liveos_tui.console.messages import Delivered
from liveos_tui.console.screens.base import ConsoleScreen
from liveos_tui.console.workers import MENTION_WAITING_SECONDS, errand
from liveos_tui.errors import LiveosError
from liveos_tui.jobs.workshop import Workshop

T = TypeVar("T")


class AskingScreen(ConsoleScreen):
    """`busy` while an answer is waited for; after a moment `waiting_words` say for which."""

    def __init__(self, brush: Brush, workshop: Workshop) -> None:
        super().__init__(brush)
        self.workshop = workshop
        self.busy = False
        self.waiting_words = ""

    def ask(self, words: str, call: Callable[[], T], then: Callable[[T], None]) -> None:
        """Have `call` made, and its result handed to `then`, or its error to `refused`.

        While another answer is waited for nothing happens: a key that is pressed twice does not do
        a thing twice.
        """
        if self.busy:
            return
        self.busy = True
        console = self.console

        def mention() -> None:
            self.waiting_words = f"{words} {self.brush.glyphs.dots}"
            self.paint()

        def answered(result: T | LiveosError) -> None:
            mentioned.stop()
            self.busy = False
            self.waiting_words = ""
            if not self.is_attached:
                return
            if isinstance(result, LiveosError):
                self.refused(result)
            else:
                then(result)
            if self.is_mounted:
                self.paint()

        def deliver(result: T | LiveosError) -> None:
            console.look_at_jobs()
            console.post(Delivered(lambda: answered(result)))

        mentioned = self.set_timer(MENTION_WAITING_SECONDS, mention)
        errand(call, deliver)
        self.paint()

    def refused(self, error: LiveosError) -> None:
        """What was asked for could not be done."""
