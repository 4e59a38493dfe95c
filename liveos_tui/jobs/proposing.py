"""What was found on a target, and the plan that would do what a person wishes."""

from collections.abc import Iterable
from pathlib import Path

from liveos_tui.errors import LiveosError
from liveos_tui.formats.text import clean
from liveos_tui.jobs.folder import JobFolders
from liveos_tui.jobs.journal import JournalState, journals
from liveos_tui.jobs.marks import emptied_stores
from liveos_tui.jobs.second_image import second_image
from liveos_tui.jobs.unfinished import UnfinishedJobError, check_free, check_unfinished
from liveos_tui.jobs.workshop import Proposal, Wish
from liveos_tui.live.diagnose import diagnose
from liveos_tui.live.diagnosis import Diagnosis
from liveos_tui.live.merging import MergeFacts, look_at_merge
from liveos_tui.live.model import Operation
from liveos_tui.live.place import Place
from liveos_tui.live.recognise import LIVE, absolute, recognise
from liveos_tui.live.remedies import named
from liveos_tui.live.site import Site
from liveos_tui.plans.grow import plan_grow
from liveos_tui.plans.merge import MergeWish, plan_merge
from liveos_tui.plans.model import Plan
from liveos_tui.plans.recover import plan_recover
from liveos_tui.plans.refused import (
    UNCHANGED,
    BesideTakenError,
    NothingToDoError,
    PlanRefusedError,
)
from liveos_tui.plans.reset import plan_reset
from liveos_tui.system.files import not_allowed
from liveos_tui.system.kernel_views import kernel_has_device_mapper
from liveos_tui.system.probes import Probes
from liveos_tui.system.stick_writing import StickBusyError


def propose(probes: Probes, target: str, wish: Wish, folders: JobFolders | None = None) -> Proposal:
    """Look, and plan. Raises LiveosError when the target cannot be looked at.

    `folders`: the jobs of this machine, which may be at work on it.
    """
    target = lasting_name(target)
    recognised = recognise(probes, target)
    # Let go of before anything is begun: a stick that is mounted to be looked at is in the way.
    with recognised.hold:
        return _proposed(probes, recognised.site, target, wish, folders)


def _proposed(
    probes: Probes, site: Site, target: str, wish: Wish, folders: JobFolders | None
) -> Proposal:
    stick = probes.folder(site.mount_point) if site.mount_point is not None else None
    known = journals(stick) if stick is not None else ()
    diagnosis = diagnose(probes, site, target, emptied=emptied_stores(known))
    try:
        if folders is not None:
            check_free(folders, diagnosis.place)
        if not wish.rehearse:
            check_unfinished(known, folders)
    except (UnfinishedJobError, StickBusyError) as error:
        return Proposal(diagnosis.facts, why_not=error.message, hint=error.hint)
    images = (
        look_at_merge(probes, site, wish.work)
        if wish.operation is Operation.MERGE
        else MergeFacts()
    )
    missing = [folder for folder in wish.copies if not probes.path(folder).is_dir()]
    if missing:
        return Proposal(
            diagnosis.facts,
            why_not=f"{clean(missing[0])} is not there, or is no folder.",
            hint="Nothing was changed. Name a folder on another disk that is connected.",
        )
    # What is mounted read-only nobody may write: the plan says so.
    if not wish.rehearse and diagnosis.read_only_mount is None:
        _check_rights(probes, diagnosis.place)
    device_mapper = probes.privileged and kernel_has_device_mapper(probes.runner)
    try:
        plan = _plan(diagnosis, wish, images, device_mapper=device_mapper)
        if stick is not None:
            _check_compression(probes, stick.path, plan, images)
    except BesideTakenError as error:
        why_not, hint = _why_taken(images.beside, known, site) or (error.message, error.hint)
        return Proposal(diagnosis.facts, why_not=why_not, hint=hint)
    except PlanRefusedError as error:
        nothing = isinstance(error, NothingToDoError)
        return Proposal(
            diagnosis.facts, why_not=error.message, hint=error.hint, nothing_to_do=nothing
        )
    return Proposal(diagnosis.facts, plan)


def _why_taken(beside: str, known: Iterable[JournalState], site: Site) -> tuple[str, str] | None:
    """What takes the new image's name, and what helps; None where no job of the stick knows."""
    jobs = ((job.job_id, job.plan, job.state, job.done) for job in known)
    told = second_image(beside, jobs, named(site.target, "--target "))
    return told and (f"{clean(beside)} is there already: {told[0]}.", f"{told[1]} {UNCHANGED}")


def _check_compression(probes: Probes, folder: Path, plan: Plan, images: MergeFacts) -> None:
    """Raise PlanRefusedError where the stick's kernels may not read the new image.

    What cannot be looked into here the job looks into, before it writes.
    """
    wanted = plan.new_compressor(images.image)
    if wanted is None:
        return
    # Only one who wishes for another compressor has to wait for this.
    from liveos_tui.jobs import compressors, joining  # noqa: PLC0415

    try:
        if plan.works_in_use:
            compressors.check_in_folder(probes.folder("/boot"), wanted)
            return
        with joining.looked_into(probes, plan.place, folder) as root:
            compressors.check_in_image(probes.runner, root, wanted)
    except compressors.UnreadCompressionError as error:
        raise PlanRefusedError(error.message, error.hint) from error
    except LiveosError:
        return


def _check_rights(probes: Probes, place: Place) -> None:
    """Raise PrivilegeError where this user may not write what the plan writes."""
    if place.mount_point is None:
        return
    folder = probes.path(place.mount_point)
    for path in (folder, folder / place.overlay):
        if not probes.may_write(path):
            raise not_allowed(path, "write")


def lasting_name(target: str) -> str:
    """A target's name that means the same wherever a program is started. Raises LiveosError."""
    return target if target == LIVE else absolute(target)


def _plan(diagnosis: Diagnosis, wish: Wish, images: MergeFacts, *, device_mapper: bool) -> Plan:
    match wish.operation:
        case Operation.RECOVER:
            return plan_recover(
                diagnosis,
                rehearse=wish.rehearse,
                repair=wish.repair,
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
            return plan_merge(
                diagnosis,
                images,
                MergeWish(wish.engine, wish.compression, wish.level, wish.switch),
                device_mapper=device_mapper,
            )
