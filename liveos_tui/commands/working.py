"""Commands that change a stick (`recover`, `grow` ...): look, tell, ask, start, listen."""

import json
import os
from argparse import Namespace
from dataclasses import asdict, dataclass

from liveos_tui.commands.arguments import LIVE
from liveos_tui.commands.confirming import check_can_ask, confirms, unless_stopped
from liveos_tui.commands.following import follow, held_back, listener
from liveos_tui.commands.output import can_ask, complain, say, say_paragraphs
from liveos_tui.errors import CancelledError, ExitCode, LiveosError
from liveos_tui.formats.text import clean
from liveos_tui.jobs.events import EndEvent, JobState
from liveos_tui.jobs.workshop import Proposal, Wish, Workshop
from liveos_tui.live.model import Operation
from liveos_tui.plans.actions import Engine
from liveos_tui.plans.agreement import agreement
from liveos_tui.plans.codec import to_json
from liveos_tui.plans.model import Confirmation, Plan
from liveos_tui.plans.sizes import SizeError, parse_size
from liveos_tui.plans.steps import of_job
from liveos_tui.plans.text import diagnosis_text, plan_outline, plan_text
from liveos_tui.system.work_folder import NoWorkFolderError

_SCHEMA = 1


@dataclass(frozen=True, slots=True)
class Manner:
    """How a command is to be carried out."""

    dry_run: bool = False
    yes: bool = False
    as_json: bool = False


def wish_of(options: Namespace) -> Wish:
    """What a command line asks for. Raises SizeError, NoWorkFolderError."""
    match options.command:
        case "recover":
            return Wish(
                Operation.RECOVER,
                rehearse=options.rehearse,
                repair=options.repair,
                grow_bytes=_size(options.grow),
                copies=tuple(map(_folder, options.backup)),
            )
        case "grow":
            return Wish(
                Operation.GROW,
                grow_bytes=_size(options.by),
                to_bytes=_size(options.to),
                fill_holes=options.fill,
            )
        case "merge":
            return Wish(
                Operation.MERGE,
                engine=Engine(options.engine) if options.engine else None,
                work=os.path.abspath(options.work) if options.work else None,  # noqa: PTH100
                compression=options.comp,
                level=options.level,
                switch=not options.no_switch,
            )
    return Wish(Operation.RESET)


def _folder(name: str) -> str:
    """A folder that is there, from the top."""
    path = os.path.abspath(name)  # noqa: PTH100
    if not os.path.isdir(path):  # noqa: PTH112
        raise NoWorkFolderError(
            f"{clean(path)} is not there, or is no folder.",
            "Nothing was changed. Name a folder on another disk that is connected.",
        )
    return path


def _size(text: str | None) -> int | None:
    try:
        return None if text is None else parse_size(text)
    except SizeError as error:
        raise SizeError(error.message, f"Nothing was changed. {error.hint}") from error


def work(workshop: Workshop, target: str, wish: Wish, manner: Manner) -> int:
    """Do what is wished. Raises LiveosError."""
    try:
        proposal = workshop.propose(target, wish)
        plan = proposal.plan
        if plan is None:
            return _refuse(proposal, manner)
        if manner.dry_run:
            _tell_plan(proposal, plan, manner)
            return ExitCode.WELL
        asks = plan.confirmation is not Confirmation.NONE and not manner.yes
        # A rehearsal is seen before the question, which says the way back then.
        asks_later = asks and plan.first_write > 1
        if not _is_begun(proposal, plan, manner, asks=asks, asks_later=asks_later):
            say("Nothing was changed.\n")
            return ExitCode.CANCELLED
    except KeyboardInterrupt:
        if can_ask():
            say("\n")
        raise CancelledError("It was stopped.", "Nothing was changed.") from None
    with held_back() as hear:
        job_id = workshop.start(plan, allowed=plan.first_write if asks_later else None)

        def agreed() -> bool:
            return confirms(plan, of_job(f"{agreement(plan)} {plan.go_back}", job_id))

        to = listener(as_json=manner.as_json, named=None if target == LIVE else target)
        agree = agreed if asks_later else None
        return follow(workshop, job_id, plan, to, agree=agree, hear=hear)


def _is_begun(
    proposal: Proposal, plan: Plan, manner: Manner, *, asks: bool, asks_later: bool
) -> bool:
    """Tell the plan, and ask where that is now. Raises NotAskedError, KeyboardInterrupt."""
    if asks:
        check_can_ask(plan.title, "Look with --dry-run, then add --yes.", as_json=manner.as_json)
    if not manner.as_json:
        _tell_plan(proposal, plan, manner, way_back=not asks_later)
        say("\n")
    return asks_later or not asks or unless_stopped(lambda: confirms(plan, agreement(plan)))


def _tell_plan(proposal: Proposal, plan: Plan, manner: Manner, *, way_back: bool = True) -> None:
    if manner.as_json:
        facts = [asdict(fact) for fact in proposal.facts]
        document = {"schema": _SCHEMA, "facts": facts, "plan": to_json(plan)}
        say(json.dumps(document, indent=2) + "\n")
        return
    # All of it is a few screens long: before a job its outline does, --dry-run shows the rest.
    words = plan_text(plan) if manner.dry_run else plan_outline(plan, way_back=way_back)
    say(f"{diagnosis_text(proposal.facts)}\n{words}")


def _refuse(proposal: Proposal, manner: Manner) -> int:
    """Tell why there is no plan; the exit code is 0 when there is no need of one."""
    code = ExitCode.WELL if proposal.nothing_to_do else ExitCode.FAILED
    if manner.as_json:
        state = JobState.DONE if proposal.nothing_to_do else JobState.FAILED
        listener(as_json=True).event(EndEvent(state, proposal.why_not, proposal.hint))
        return code
    if proposal.facts:
        say(f"{diagnosis_text(proposal.facts)}\n")
    if proposal.nothing_to_do:
        say_paragraphs(*filter(None, (proposal.why_not, proposal.hint)))
        return code
    return complain(LiveosError(proposal.why_not, proposal.hint))
