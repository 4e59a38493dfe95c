"""The worker: the process that carries one order out, in a session of its own.

    python -m liveos_tui.jobs.worker FOLDER

It listens to what is asked in its job's folder and to SIGTERM, which cancels. It never ends without
a word: a mistake of its own is the end of the job like any other failure.
"""

import signal
import sys
import traceback
from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import replace
from pathlib import Path

from liveos_tui.errors import LiveosError
from liveos_tui.formats.text import clean
from liveos_tui.jobs.carry import carry_out
from liveos_tui.jobs.control import FileControl
from liveos_tui.jobs.events import EndEvent, Event, JobState
from liveos_tui.jobs.folder import JobFolder
from liveos_tui.jobs.joining import joiner_for
from liveos_tui.jobs.order import Order, Workplace
from liveos_tui.plans.ways import JOBS
from liveos_tui.system.inhibitor import no_sleep
from liveos_tui.system.probes import Probes
from liveos_tui.system.processes import own_process
from liveos_tui.system.telling import TellingRunner

CarryOut = Callable[[Order, Workplace], EndEvent]


def work(folder: JobFolder, probes: Probes, carry: CarryOut = carry_out) -> None:
    """Carry out the order in `folder` and tell how it ended. Raises OSError without a log."""
    control = FileControl(folder.control)
    signal.signal(signal.SIGTERM, lambda *_: control.cancel())
    # A terminal that goes away, and Ctrl+C in one, are not meant for a job.
    signal.signal(signal.SIGHUP, signal.SIG_IGN)
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    with folder.log() as log:
        folder.arrive(own_process(probes))
        try:
            end = _carried_out(folder, probes, carry, control, log.tell)
        except LiveosError as error:
            end = EndEvent(JobState.FAILED, error.message, error.hint)
        except BaseException as error:  # whatever it is, it is told
            traceback.print_exc()
            end = _mistake(error, folder)
        log.tell(end)


def _carried_out(
    folder: JobFolder,
    probes: Probes,
    carry: CarryOut,
    control: FileControl,
    tell: Callable[[Event], None],
) -> EndEvent:
    order = folder.order()
    programs = TellingRunner(probes.runner)
    probes = replace(probes, runner=programs)
    with ExitStack() as held:
        held.enter_context(no_sleep(order.plan.title))
        held.callback(folder.clear_scratch)
        scratch = folder.scratch()
        joiner = joiner_for(held, probes, folder.id, scratch)
        return carry(order, Workplace(probes, joiner, scratch, control, tell, programs))


def _mistake(error: BaseException, folder: JobFolder) -> EndEvent:
    return EndEvent(
        JobState.FAILED,
        f"The worker met a mistake of its own: {clean(repr(error))}.",
        f"What it was doing is in {folder.worker_log}. Go on, or go back {JOBS}.",
    )


if __name__ == "__main__":
    work(JobFolder(Path(sys.argv[1]), Probes()), Probes())
