"""Throw away what is in an overlay: the stick is as it was made."""

from liveos_tui.live.diagnosis import Diagnosis, Illness
from liveos_tui.live.growth import RESERVE_BYTES
from liveos_tui.live.model import Operation
from liveos_tui.live.words import rounded_up, size
from liveos_tui.plans.model import Confirmation, Plan, Room
from liveos_tui.plans.refused import UNCHANGED, NothingToDoError, PlanRefusedError
from liveos_tui.plans.steps import Words
from liveos_tui.plans.ways import BACK

_BOOT_OPTION = (
    "Boot once with rd.live.overlay.reset (dracut 110 and later: rd.overlay.reset): in the boot "
    "menu press Tab or e, add it to the line of the kernel, start. It empties the overlay before "
    "it is used, at that boot only. Nothing was changed."
)


def plan_reset(diagnosis: Diagnosis, *, device_mapper: bool = True) -> Plan:
    """Plan to empty the overlay. Raises PlanRefusedError: never while it is in use.

    `device_mapper` is here as in the other plans; nothing is joined for this.
    """
    summary = diagnosis.summary
    # One that does not belong to its base is a store all the same, and this is what helps it.
    if diagnosis.refusal and (summary is None or diagnosis.illness is Illness.FOREIGN):
        raise PlanRefusedError(diagnosis.refusal, diagnosis.hint)
    if diagnosis.in_use:
        raise PlanRefusedError(
            "The overlay is in use: it is never emptied under a running system.", _BOOT_OPTION
        )
    if diagnosis.refusal and not _is_stranger(diagnosis):
        raise PlanRefusedError(diagnosis.refusal, diagnosis.hint)
    if summary is None or (summary.exceptions == 0 and summary.valid):
        raise NothingToDoError("The overlay is empty already.", UNCHANGED)
    words = Words(diagnosis, device_mapper)
    needed = rounded_up(summary.metadata_bytes + RESERVE_BYTES // 8)
    return Plan(
        operation=Operation.RESET,
        place=diagnosis.place,
        title=f"Reset the overlay of {diagnosis.place.name}",
        steps=(words.open_stick(), words.back_up(), words.reset()),
        confirmation=Confirmation.LABEL,
        summary=(
            f"All {size(summary.used_bytes)} in the overlay are thrown away: every change since "
            "the stick was made, with the files that you have saved outside of home.img.",
            "The system itself stays: it is in the image, and boots as it was made. The overlay "
            "keeps its size.",
        ),
        warnings=(
            "What is in the overlay is lost at the next boot. Copy what you want to keep first.",
            *(
                ("It can most likely be recovered. Have you tried that?",)
                if diagnosis.illness in {Illness.INVALID, Illness.FULL, Illness.ERRORS}
                and not diagnosis.refusal
                else ()
            ),
        ),
        room=(Room("on the stick", needed, diagnosis.free_bytes),),
        go_back=f"Going back {BACK} puts the header back, and everything is there again. That "
        "holds only until the stick is next booted with the overlay.",
        afterwards=("Boot the stick: the kernel sets the overlay up anew.",),
    )


def _is_stranger(diagnosis: Diagnosis) -> bool:
    """Whether all that is refused is that overlay and base do not belong together."""
    return any(fact.name == "Together" and fact.bad for fact in diagnosis.facts)
