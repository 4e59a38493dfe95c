"""Draw the screens into screenshots/, as SVG and as PNG: `make screenshots`.

The pictures are of a machine of practice sticks, which is built for them (practice_sticks.py says
what is real there and what stands still), and of jobs that were recorded (pictures.py). The SVG are
the same bytes wherever they are made; tests/console/test_pictures.py tells when a screen has
changed and its picture has not. The PNG are drawn from them with one version of resvg, and bear the
fingerprint of the SVG.

`--record` carries the jobs out anew, on practice sticks, and writes what they tell to
tests/data/jobs: for when a plan has got other steps, or a step another sentence.
"""

import argparse
import importlib
import sys
import tempfile
from pathlib import Path
from unittest.mock import patch

sys.path.insert(0, str(Path(__file__).parent / "console"))
sys.path.insert(0, str(Path(__file__).parent / "jobs"))

import picture
from pictures import FOLDER, JOBS, SHOTS, draw, job_id, sticks
from practice_sticks import BROKEN, BROKEN_NAME, NEARLY_FULL, NEARLY_FULL_NAME, build_as
from recovering import JOB, Patient

from liveos_tui.jobs.event_log import EventLog
from liveos_tui.jobs.events import Event, JobState
from liveos_tui.live.model import Operation
from liveos_tui.practice import builder
from liveos_tui.practice.builder import PracticeState
from liveos_tui.system.mounts import RUN_FOLDER

_ZOOM = 2.0


# A rate and the time left are told after some seconds only, and a practice stick is merged in less:
# that one's root is larger, nearly all of it free.
_LARGE_ROOT_BYTES = 3 << 30

_RECORDED = {
    Operation.RECOVER: (PracticeState.INVALID, BROKEN, BROKEN_NAME, builder.ROOT_BYTES),
    Operation.MERGE: (PracticeState.NEARLY_FULL, NEARLY_FULL, NEARLY_FULL_NAME, _LARGE_ROOT_BYTES),
}


def draw_all() -> None:
    """Every picture, and none that is not drawn any more."""
    # Only `make screenshots` installs it.
    resvg = importlib.import_module("resvg_py")
    FOLDER.mkdir(exist_ok=True)
    with sticks() as seen:
        drawn = {name: draw(name, seen) for name in SHOTS}
    # Pictures without an SVG are photographs of a text console: they are made elsewhere.
    for path in FOLDER.glob("*.svg"):
        if path.stem not in drawn:
            path.unlink()
            path.with_suffix(".png").unlink(missing_ok=True)
    for name, svg in drawn.items():
        (FOLDER / f"{name}.svg").write_text(svg, encoding="utf-8")
        png = resvg.svg_to_bytes(svg_string=svg, skip_system_fonts=True, zoom=_ZOOM)
        (FOLDER / f"{name}.png").write_bytes(picture.signed(bytes(png), svg))
        print(name)


def record_all() -> None:
    """Carry out each job on a practice stick and keep what it tells."""
    JOBS.mkdir(exist_ok=True)
    for operation, (state, shown_as, name, root_bytes) in _RECORDED.items():
        with tempfile.TemporaryDirectory() as work:
            top = Path(work)
            with patch.object(builder, "ROOT_BYTES", root_bytes):
                build_as(top / "stick", name, state)
            (top / "scratch").mkdir()
            patient = Patient(top / "stick", top / "scratch")
            plan = patient.plan() if operation is Operation.RECOVER else patient.merge_plan()
            with EventLog(top / "log") as log:
                patient.events = _Telling(log)
                end = patient.carry(plan)
                log.tell(end)
            assert end.state is JobState.DONE, end
            told = (top / "log").read_text()
            shown = {top / "stick": shown_as, top / "scratch": RUN_FOLDER, JOB: job_id(operation)}
            for here, there in shown.items():
                told = told.replace(str(here), str(there))
        (JOBS / f"{operation}.jsonl").write_text(told)
        print(f"{operation}: {told.count(chr(10))} events")


class _Telling(list[Event]):
    """Tells the log as well."""

    def __init__(self, log: EventLog) -> None:
        super().__init__()
        self._log = log

    def append(self, event: Event) -> None:
        super().append(event)
        self._log.tell(event)


def main() -> None:
    """What the command line asks for."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--record", action="store_true", help="carry the jobs out anew first")
    if parser.parse_args().record:
        record_all()
    draw_all()


if __name__ == "__main__":
    main()
