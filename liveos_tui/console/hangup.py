"""A terminal that is gone: the window closed, ssh dropped, the line cut.

The kernel tells by SIGHUP, but only to the session that the terminal controls. Started by setsid,
or where SIGHUP is ignored, a program hears nothing, and reads an end of file again and again.
"""

import os
import select
import signal
from collections.abc import Callable
from threading import Thread


def is_gone(descriptor: int, milliseconds: int | None = 0) -> bool:
    """Whether the terminal has been hung up, after waiting for that; None waits for ever."""
    poll = select.poll()
    # POLLHUP is told whether or not it is asked for (poll(2)); keys are nothing to wake up for.
    poll.register(descriptor, 0)
    return bool(poll.poll(milliseconds))


def end_with(descriptor: int, take_down: Callable[[bool], None]) -> None:
    """From now on end by SIGHUP when it comes and when the terminal hangs up without it.

    `take_down` is called before, in the main thread, with whether the terminal is gone: what is
    written to it then is never taken. Who ignores SIGHUP, as nohup does, is ended only by the
    second: a console without a terminal is of no use to anyone.
    """
    ignored = signal.getsignal(signal.SIGHUP) is signal.SIG_IGN

    def hung_up(number: int, _frame: object) -> None:
        gone = is_gone(descriptor)
        if ignored and not gone:
            return
        # The supervisor passes on what the terminal has sent already.
        signal.signal(number, signal.SIG_IGN)
        take_down(gone)
        signal.signal(number, signal.SIG_DFL)
        os.kill(os.getpid(), number)

    def wait() -> None:
        if is_gone(descriptor, None):
            os.kill(os.getpid(), signal.SIGHUP)

    signal.signal(signal.SIGHUP, hung_up)
    Thread(target=wait, name="hangup", daemon=True).start()
