"""Starting the worker of a job."""

import os
import sys
from collections.abc import Mapping
from pathlib import Path

import liveos_tui
from liveos_tui.jobs.folder import JobFolder
from liveos_tui.system.session import start_detached

WORKER = "liveos_tui.jobs.worker"
"""The module that is the worker's program."""

# -B: nothing is written beside the program. -P: nothing is imported from where it runs.
# -S: a bundle does without the system's own packages, so its worker does, too.
_FLAGS = ("-B", "-P", *(("-S",) if sys.flags.no_site else ()))


def start_worker(folder: JobFolder, *program: str) -> None:
    """Start the worker for the order in `folder`, and return when it is at work.

    `program` are Python's arguments in the place of the worker's own. Raises LiveosError when it
    does not begin.
    """
    start_detached(
        [sys.executable, *_FLAGS, *(program or ("-m", WORKER)), str(folder.path)],
        unit=f"liveos-tui-{folder.id}",
        environment=_environment(),
        log=folder.worker_log,
        arrived=lambda: folder.arrived,
    )


def _environment() -> Mapping[str, str]:
    """What the worker's Python needs to be this Python."""
    # All of the path, wherever it came from: an environment, a variable, a bundle's launcher.
    own = str(Path(liveos_tui.__file__).parents[1])
    environment = {
        "PYTHONPATH": os.pathsep.join(dict.fromkeys((own, *filter(None, sys.path)))),
        "PYTHONDONTWRITEBYTECODE": "1",
    }
    if runtime := os.environ.get("XDG_RUNTIME_DIR"):
        environment["XDG_RUNTIME_DIR"] = runtime
    return environment
