"""A plan survives its way through JSON, and nothing else becomes one."""

import json
from contextlib import suppress
from dataclasses import replace
from typing import Any, get_args

import pytest
from diagnoses import MIB, PLACE, diagnosis
from hypothesis import given
from hypothesis import strategies as st

from liveos_tui.errors import FormatError
from liveos_tui.formats.text import clean
from liveos_tui.live.contents import beside
from liveos_tui.live.diagnosis import Cause, Illness
from liveos_tui.live.place import Place
from liveos_tui.plans import actions
from liveos_tui.plans.actions import Action, BackUp, GrowFile, OpenStick
from liveos_tui.plans.codec import decode, encode, from_json, to_json
from liveos_tui.plans.grow import plan_grow
from liveos_tui.plans.model import Plan, Step
from liveos_tui.plans.recover import plan_recover
from liveos_tui.plans.reset import plan_reset
from liveos_tui.plans.untrusted import folders_elsewhere

# As Linux has them: any bytes but NUL, those that are no UTF-8 as surrogates.
NAMES = st.binary(min_size=1, max_size=40).map(
    lambda data: data.replace(b"\0", b"0").decode("utf-8", "surrogateescape")
)
PATHS = NAMES.map(lambda name: "LiveOS/" + name.replace("..", "--").replace("/", "_"))
TEXTS = NAMES
WORDS = NAMES.map(clean)
SIZES = st.integers(0, (1 << 63) - 1)
HALVES = st.integers(1, 1 << 62)
PLACES = st.builds(
    Place,
    target=TEXTS,
    name=WORDS,
    overlay=PATHS,
    image=st.none() | PATHS,
    base=st.none() | PATHS,
    live_folder=st.just("LiveOS"),
    mount_point=st.none() | TEXTS,
    size_bytes=st.none() | SIZES,
    this_system=st.booleans(),
    store_header=st.binary(max_size=16).map(bytes.hex),
    overlay_bytes=SIZES,
)
FOLDERS = TEXTS.map(lambda text: "/" + text)
BUILT = {
    BackUp: st.builds(BackUp, st.lists(FOLDERS, max_size=3).map(tuple)),
    GrowFile: st.builds(
        lambda now, more: GrowFile(now, now + more), HALVES, st.integers(1, 1 << 40)
    ),
    actions.FillHoles: st.builds(actions.FillHoles, SIZES),
    actions.RefreshLoop: st.builds(actions.RefreshLoop, TEXTS, TEXTS, HALVES),
    actions.MirrorView: st.builds(actions.MirrorView, FOLDERS),
    actions.MakeImage: st.builds(
        actions.MakeImage,
        PATHS,
        st.sampled_from(actions.Engine),
        st.none() | PATHS,
        st.none() | st.builds(actions.Compression, TEXTS, SIZES, st.none() | SIZES),
        st.none() | FOLDERS,
        st.none() | FOLDERS,
    ),
    actions.CompareImage: st.builds(
        actions.CompareImage, PATHS, st.none() | PATHS, st.none() | FOLDERS
    ),
    actions.KeepImage: st.builds(actions.KeepImage, PATHS, FOLDERS),
    actions.ReplaceImage: st.builds(actions.ReplaceImage, PATHS, PATHS, FOLDERS),
    actions.ExchangeImages: st.builds(actions.ExchangeImages, PATHS, PATHS),
    actions.SetAside: st.builds(actions.SetAside, PATHS),
    actions.FreezeRoot: st.builds(actions.FreezeRoot, TEXTS, SIZES, st.none() | FOLDERS),
    actions.SwitchRoot: st.builds(actions.SwitchRoot, TEXTS, PATHS, SIZES),
}
"""Actions with values that the types alone do not bound."""
ACTIONS = st.one_of(
    *(BUILT[each] if each in BUILT else st.from_type(each) for each in get_args(Action))
)
SENTENCES = st.lists(WORDS, max_size=3).map(tuple)
STEPS = st.builds(
    Step,
    action=ACTIONS,
    title=WORDS,
    why=WORDS,
    commands=st.lists(SENTENCES, max_size=3).map(tuple),
    needs=SENTENCES,
    writes=SENTENCES,
    undo=WORDS,
)


def possible(plan: Plan) -> Plan:
    """The plan with the names that new images and overlays have, and with sizes of something."""
    place = replace(plan.place, image=plan.place.image or "LiveOS/squashfs.img")
    image, new = place.image or "", beside(place.image or "")

    def named(step: Step) -> Step:
        action = step.action
        match action:
            case actions.MakeImage():
                action = replace(action, beside=new)
            case actions.ExchangeImages():
                action = actions.ExchangeImages(image, new)
            case actions.ReplaceImage():
                action = replace(action, image=image, beside=new)
            case actions.KeepImage():
                action = replace(action, image=image)
            case actions.FreezeRoot(scratch_bytes=0):
                action = replace(action, scratch_bytes=1)
            case actions.SwitchRoot(device, _, size):
                action = actions.SwitchRoot(device, beside(place.overlay), max(1, size))
        return replace(step, action=action)

    return replace(plan, place=place, steps=tuple(map(named, plan.steps)))


PLANS = st.builds(
    Plan,
    place=PLACES,
    title=WORDS,
    steps=st.lists(STEPS, max_size=4).map(tuple),
    summary=SENTENCES,
    warnings=SENTENCES,
    go_back=WORDS,
    afterwards=SENTENCES,
).map(possible)


@given(PLANS)
def test_every_plan_comes_back_as_it_was(plan: Plan) -> None:
    assert from_json(json.loads(json.dumps(to_json(plan)))) == plan


@pytest.mark.parametrize(
    "plan",
    [
        plan_recover(diagnosis(Illness.INVALID), copies=("/mnt/other disk",)),
        plan_recover(diagnosis(Illness.INVALID, cause=Cause.IO_ERROR), rehearse=True),
        plan_grow(diagnosis(Illness.OVERFLOW, in_use=True)),
        plan_reset(diagnosis(Illness.FULL)),
    ],
    ids=lambda plan: plan.title,
)
def test_real_plans_come_back_as_they_were(plan: Plan) -> None:
    assert from_json(json.loads(json.dumps(to_json(plan)))) == plan


def test_an_action_tells_its_kind() -> None:
    told = to_json(plan_grow(diagnosis(Illness.NONE), grow_bytes=MIB))

    assert told["steps"][0]["action"] == {"kind": "OpenStick", "writable": True, "remount": False}
    assert told["operation"] == "grow"


def told_plan() -> dict[str, Any]:
    told = json.loads(json.dumps(to_json(plan_recover(diagnosis(Illness.INVALID)))))
    assert isinstance(told, dict)
    return told


def put(path: str, value: object) -> dict[str, Any]:
    """A real plan with one value replaced."""
    told: Any = told_plan()
    *steps, last = [int(part) if part.isdigit() else part for part in path.split("/")]
    at = told
    for step in steps:
        at = at[step]
    at[last] = value
    assert isinstance(told, dict)
    return told


@pytest.mark.parametrize(
    ("path", "value"),
    [
        ("title", 7),
        ("title", None),
        ("title", "x" * 10_000),
        ("title", "a\0b"),
        ("operation", "format"),
        ("confirmation", ["enter"]),
        ("unknown", 1),
        ("steps", "abc"),
        ("steps", {}),
        ("steps", [None] * 2000),
        ("steps/0", []),
        ("steps/0/action", {"kind": "Popen", "args": ["rm"]}),
        ("steps/0/action", {"kind": ["OpenStick"], "writable": True, "remount": False}),
        ("steps/0/action", {"writable": True, "remount": False}),
        ("steps/0/action", {"kind": "OpenStick", "writable": True}),
        ("steps/0/action", {"kind": "OpenStick", "writable": 1, "remount": False}),
        ("steps/0/action", {"kind": "ExchangeImages", "image": "../a", "beside": "LiveOS/b"}),
        ("steps/0/action", {"kind": "KeepImage", "image": "LiveOS/a", "apart": "disk"}),
        ("steps/0/action", {"kind": "KeepImage", "image": "../a", "apart": "/mnt"}),
        (
            "steps/0/action",
            {"kind": "CompareImage", "beside": "LiveOS/b", "member": "/dev/sda", "apart": None},
        ),
        ("steps/0/action", {"kind": "SetAside", "path": "/etc/passwd"}),
        ("steps/0/action", {"kind": "MirrorView", "work": "disk"}),
        ("steps/0/commands", [["mount", 1]]),
        ("steps/0/cancel", "later"),
        ("steps/2/action/copies", ["relative"]),
        ("steps/3/action/to_bytes", 1),
        ("steps/3/action/to_bytes", True),
        ("steps/3/action/to_bytes", 1e9),
        ("steps/3/action/to_bytes", 1 << 70),
        ("steps/5/action/persistence", "X"),
        ("place", None),
        ("place/overlay", "../../etc/passwd"),
        ("place/overlay", "/etc/passwd"),
        ("place/overlay", ""),
        ("place/image", "LiveOS/../../x"),
        ("place/base", "/x"),
        ("place/live_folder", ".."),
        ("place/overlay_bytes", -1),
        ("place/label", 12),
    ],
)
def test_what_is_not_exactly_a_plan_is_refused(path: str, value: object) -> None:
    with pytest.raises(FormatError, match="no plan of liveos-tui"):
        from_json(put(path, value))


def test_a_missing_field_is_refused() -> None:
    told = told_plan()
    del told["warnings"]
    with pytest.raises(FormatError):
        from_json(told)


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=10),
    lambda inner: (
        st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=10), inner, max_size=4)
    ),
    max_leaves=20,
)


@given(JSON)
def test_any_json_is_a_plan_or_an_error(data: object) -> None:
    with pytest.raises(FormatError):
        from_json(data)


@given(st.sampled_from(sorted(told_plan())), JSON)
def test_any_value_in_a_plan_is_taken_or_an_error(name: str, value: object) -> None:
    with suppress(FormatError):
        from_json(put(name, value))


def test_other_values_go_the_same_way() -> None:
    assert decode(Place, encode(PLACE)) == PLACE
    assert decode(OpenStick, encode(OpenStick())) == OpenStick()


def test_text_for_people_is_harmless_and_paths_stay_as_they_are() -> None:
    told = told_plan()
    told["title"] = told["steps"][0]["why"] = told["place"]["name"] = "a\x1b[2J\x9bb"
    told["place"]["overlay"] = "LiveOS/overlay-\x1b[2J"
    plan = from_json(told)

    assert {plan.title, plan.steps[0].why, plan.place.name} == {"a\\x1b[2J\\x9bb"}
    assert plan.place.overlay == "LiveOS/overlay-\x1b[2J"


def test_folders_of_the_machine_are_told() -> None:
    plan = plan_recover(diagnosis(Illness.INVALID), copies=("/mnt/disk",))
    mirror = replace(plan.steps[0], action=actions.MirrorView("/etc/cron.d"))

    assert folders_elsewhere(plan) == ()
    assert folders_elsewhere(replace(plan, steps=(mirror,))) == ("/etc/cron.d",)
