"""A merge of the running system tells the very programs that its plan has shown."""

import json
import sys
from pathlib import Path

import pytest
from kernel import PROGRAM, Boot
from kernel import told as told_by

sys.path.insert(0, str(Path(__file__).parents[2] / "jobs"))

from told import planned, told

from liveos_tui.jobs.events import CommandEvent
from liveos_tui.plans.codec import from_json


@pytest.mark.thorough
def test_what_is_shown_is_what_is_run(boot: Boot) -> None:
    stick = boot()
    stick.install()
    shown = stick.run(f"{PROGRAM} merge --dry-run --json", timeout=600).stdout
    plan = from_json(json.loads(shown)["plan"])

    events = [
        CommandEvent(event["step"], tuple(event["argv"]))
        for event in told_by(stick, "merge --yes --json")
        if event["event"] == "command"
    ]

    # Of the switch only what is sure: what changes meanwhile is copied in rounds, each with a
    # scratch file of its own.
    switched = planned(plan)[-1]
    assert told(plan, events)[:-1] == planned(plan)[:-1]
    assert told(plan, events)[-1][: len(switched)] == switched
