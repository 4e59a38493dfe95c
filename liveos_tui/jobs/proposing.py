"""What was found on a target, and the plan that would do what a person wishes."""

from liveos_tui.errors import LiveosError
from liveos_tui.jobs.workshop import Proposal, Wish
from liveos_tui.live.diagnose import diagnose
from liveos_tui.live.diagnosis import Diagnosis
from liveos_tui.live.model import Operation
from liveos_tui.live.recognise import LIVE, absolute, recognise
from liveos_tui.plans.grow import plan_grow
from liveos_tui.plans.model import Plan
from liveos_tui.plans.recover import plan_recover
from liveos_tui.plans.refused import NothingToDoError, PlanRefusedError
from liveos_tui.plans.reset import plan_reset
from liveos_tui.system.kernel_views import kernel_has_device_mapper
from liveos_tui.system.probes import Probes


def propose(probes: Probes, target: str, wish: Wish) -> Proposal:
    """Look, and plan. Raises LiveosError when the target cannot be looked at."""
    target = lasting_name(target)
    recognised = recognise(probes, target)
    # Let go of before anything is begun: a stick that is mounted to be looked at is in the way.
    with recognised.hold:
        diagnosis = diagnose(probes, recognised.site, target)
    device_mapper = probes.privileged and kernel_has_device_mapper(probes.runner)
    try:
        plan = _plan(diagnosis, wish, device_mapper=device_mapper)
    except PlanRefusedError as error:
        nothing = isinstance(error, NothingToDoError)
        return Proposal(
            diagnosis.facts, why_not=error.message, hint=error.hint, nothing_to_do=nothing
        )
    return Proposal(diagnosis.facts, plan)


def lasting_name(target: str) -> str:
    """A target's name that means the same wherever a program is started. Raises LiveosError."""
    return target if target == LIVE else absolute(target)


def _plan(diagnosis: Diagnosis, wish: Wish, *, device_mapper: bool) -> Plan:
    match wish.operation:
        case Operation.RECOVER:
            return plan_recover(
                diagnosis,
                rehearse=wish.rehearse,
                grow_bytes=wish.grow_bytes,
                to_bytes=wish.to_bytes,
                copies=wish.copies,
                device_mapper=device_mapper,
            )
        case Operation.GROW:
            return plan_grow(
                diagnosis,
                wish.grow_bytes,
                wish.to_bytes,
                wish.fill_holes,
                device_mapper=device_mapper,
            )
        case Operation.RESET:
            return plan_reset(diagnosis, device_mapper=device_mapper)
        case Operation.MERGE:
            raise LiveosError("Merging is not there yet.", "Nothing was changed.")
