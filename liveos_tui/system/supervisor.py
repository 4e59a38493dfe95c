"""Ending although a probe hangs: the work is done in a child process, and the parent ends.

A thread that waits for a dead device cannot be killed, not even by the end of its process: the
process stays, and whoever started it (a shell, ssh) waits with it. So the child does the work and
says its exit code through a pipe; the parent ends with that code and leaves behind what hangs.
"""

import ctypes
import os
import signal
import sys
from collections.abc import Callable
from contextlib import suppress

_PR_SET_PDEATHSIG = 1
# What a person or a system sends to the program that they have started: it is meant for the child.
_PASSED_ON = (signal.SIGTERM, signal.SIGHUP, signal.SIGUSR1, signal.SIGUSR2)


def supervised(work: Callable[[], int]) -> int:
    """Do `work` in a child process and return its exit code, whether or not the child can end.

    A child that is killed by a signal takes this process with it, by the same signal.
    """
    sys.stdout.flush()
    sys.stderr.flush()
    reader, writer = os.pipe()
    parent = os.getpid()
    # What comes between the fork and the handlers must wait for them: it would end this process,
    # and what its child says would be lost.
    mask = signal.pthread_sigmask(signal.SIG_BLOCK, {*_PASSED_ON, signal.SIGINT})
    child = os.fork()
    if child == 0:
        os.close(reader)
        signal.pthread_sigmask(signal.SIG_SETMASK, mask)
        _work(work, writer, parent)
    os.close(writer)
    for number in _PASSED_ON:
        if signal.getsignal(number) is not signal.SIG_IGN:
            signal.signal(number, lambda number, _frame: os.kill(child, number))
    # Ctrl+C reaches the child as well, which knows what it means.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    signal.pthread_sigmask(signal.SIG_SETMASK, mask)
    code = os.read(reader, 1)
    if code:
        return code[0]
    _, status = os.waitpid(child, 0)
    if os.WIFSIGNALED(status):
        fatal = os.WTERMSIG(status)
        if fatal != signal.SIGKILL:
            signal.signal(fatal, signal.SIG_DFL)
        os.kill(os.getpid(), fatal)
    return os.waitstatus_to_exitcode(status)


def _work(work: Callable[[], int], writer: int, parent: int) -> None:
    """The child's whole life."""
    # A parent that is killed must not leave a console behind that nobody sees.
    ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGTERM)
    if os.getppid() != parent:
        os._exit(1)
    code = 1
    try:
        code = work()
        sys.stdout.flush()
    except BrokenPipeError:
        # The reader (head, a pager) has gone: nothing to tell it any more.
        code = 1
    except SystemExit as error:
        code = error.code if isinstance(error.code, int) else 1
    except BaseException:
        sys.excepthook(*sys.exc_info())
    finally:
        _let_go()
        os.write(writer, bytes([code]))
        os._exit(code)


def _let_go() -> None:
    """Flush and close the standard streams: a process that hangs keeps what it has open."""
    for stream in (sys.stdout, sys.stderr):
        # Nobody may read them any more.
        with suppress(OSError, ValueError):
            stream.flush()
    nowhere = os.open(os.devnull, os.O_RDWR)
    for descriptor in (0, 1, 2):
        os.dup2(nowhere, descriptor)
