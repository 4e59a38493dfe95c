"""What does each action of a plan, and what undoes it."""

from liveos_tui.jobs import (
    apart,
    imaging,
    live_merging,
    merging,
    mirroring,
    registering,
    repairing,
    storing,
)
from liveos_tui.jobs.work import Work
from liveos_tui.plans.actions import (
    Action,
    BackUp,
    CheckRoot,
    CompareImage,
    ExchangeImages,
    FillHoles,
    FreezeRoot,
    GrowFile,
    KeepImage,
    MakeImage,
    MergeAction,
    MirrorView,
    OpenStick,
    RefreshLoop,
    Register,
    Rehearse,
    Repair,
    ReplaceImage,
    ResetStore,
    SetAside,
    SetValid,
    SwitchRoot,
    TakeDown,
    ThawRoot,
    Verify,
)


def do(work: Work, action: Action) -> str:
    """Do one step; what came of it, in a sentence. Raises LiveosError, CancelledError."""
    match action:
        case OpenStick():
            return "The stick is locked for this job."
        case Rehearse():
            return repairing.rehearse(work, action)
        case BackUp():
            return storing.back_up(work, action)
        case GrowFile():
            return storing.grow_file(work, action)
        case FillHoles():
            return storing.fill_holes(work, action)
        case RefreshLoop():
            return storing.refresh_loop(work, action)
        case SetValid():
            return storing.set_valid(work)
        case Register():
            return registering.register(work)
        case Repair():
            return repairing.repair(work)
        case Verify():
            return registering.verify(work)
        case TakeDown():
            return registering.take_down(work)
        case ResetStore():
            return storing.reset_store(work)
        case _:
            return _do_merge(work, action)


def _do_merge(work: Work, action: MergeAction) -> str:
    """Do one step of a merge; what came of it, in a sentence."""
    match action:
        case FreezeRoot():
            return live_merging.freeze_root(work, action)
        case CheckRoot():
            return merging.check_root(work)
        case MirrorView():
            return mirroring.mirror_view(work, action)
        case MakeImage():
            text = imaging.make_image(work, action)
            if action.work is not None:
                # Its copy is in the image now; that is compared with the view itself.
                mirroring.drop_mirror(work, MirrorView(action.work))
            return text
        case CompareImage():
            return imaging.compare_image(work, action)
        case KeepImage():
            return apart.keep_image(work, action)
        case ReplaceImage():
            return apart.replace_image(work, action)
        case ExchangeImages():
            return merging.exchange_images(work, action)
        case SetAside():
            return merging.set_aside(work, action)
        case SwitchRoot():
            return live_merging.switch_root(work, action)
        case ThawRoot():
            return live_merging.thaw_root(work, action)


def undo(work: Work, action: Action) -> str:
    """Undo one step, done or half done; what came of it, in a sentence. Raises LiveosError."""
    match action:
        case BackUp():
            return storing.restore_metadata(work)
        case GrowFile():
            return storing.cut_file(work, action)
        case SetValid():
            return storing.clear_valid(work)
        case Register():
            work.take_down()
            return "The device is removed."
        case Repair():
            return repairing.undo_repair(work)
        case ResetStore():
            return storing.undo_reset(work)
        case FreezeRoot():
            return live_merging.undo_freeze(work)
        case MirrorView():
            return mirroring.drop_mirror(work, action)
        case MakeImage():
            return imaging.drop_image(work, action)
        case KeepImage():
            return apart.drop_kept(work, action)
        case ReplaceImage():
            return apart.put_back_image(work, action)
        case ExchangeImages():
            return merging.exchange_back(work, action)
        case SetAside():
            return merging.put_back(work, action)
        case SwitchRoot():
            return live_merging.undo_switch(work, action)
        case _:
            return "There was nothing to undo."
