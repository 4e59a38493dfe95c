"""Personal data is replaced, the same thing by the same word, and nothing else is."""

import pytest

from liveos_tui.formats.disguise import Disguise, Personal

KNOWN = {
    Personal.HOST: ("alices-laptop",),
    Personal.USER: ("alice", "root"),
    Personal.LABEL: ("LIVE", "My Stick"),
    Personal.UUID: ("12AB-CDEF",),
    Personal.SERIAL: ("4C530001", "1"),
    Personal.FOLDER: ("/run/media/alice/My Stick",),
}
disguise = Disguise(KNOWN)


def test_the_same_thing_has_the_same_word_throughout() -> None:
    assert (
        disguise("alice saw LIVE; Alice left LIVE")
        == "<user-1> saw <label-1>; <user-1> left <label-1>"
    )


def test_two_things_have_two_words() -> None:
    assert disguise("LIVE My Stick") == "<label-1> <label-2>"


def test_a_label_leaves_words_that_hold_it_readable() -> None:
    assert disguise("LiveOS, live-rw, LIVEOS") == "LiveOS, live-rw, LIVEOS"


def test_an_overlay_is_told_without_its_stick() -> None:
    assert disguise("LiveOS/overlay-LIVE-12AB-CDEF") == "LiveOS/overlay-<label-1>-<uuid-1>"


def test_the_longer_of_two_that_begin_together_is_meant() -> None:
    assert disguise("/run/media/alice/My Stick/LiveOS") == "<folder-1>/LiveOS"


def test_names_that_every_live_system_gives_stay() -> None:
    assert disguise("root asked") == "root asked"


def test_a_live_system_named_as_its_folders_leaves_them_readable() -> None:
    disguise = Disguise({Personal.HOST: ("liveos",), Personal.LABEL: ("home", "LiveOS", "MINE")})
    told = "liveos-tui: LiveOS/squashfs.img, /home: LiveOS/home.img, MINE"
    assert disguise(told) == told.replace("MINE", "<label-1>")


def test_a_serial_number_of_one_digit_is_none() -> None:
    assert disguise("1 of 4C530001") == "1 of <serial-1>"


def test_what_stands_in_a_place_is_not_replaced_itself() -> None:
    assert (
        Disguise({Personal.USER: ("label", "ann"), Personal.LABEL: ("ANN",)})("ANN") == "<user-2>"
    )


@pytest.mark.parametrize(
    ("text", "disguised"),
    [
        ("UUID 6f1e1fd0-3b5c-4d0c-9d8e-0f7f2f6a1b2c.", "UUID <uuid-1>."),
        ("a FAT's 99AA-BBCC", "a FAT's <uuid-1>"),
        ("machine 0123456789abcdef0123456789abcdef", "machine <uuid-1>"),
        ("MAC 52:54:00:12:34:56 up", "MAC <address-1> up"),
        ("from 192.168.1.20 port 22", "from <address-1> port 22"),
        ("from fe80::5054:ff:fe12:3456 port 22", "from <address-1> port 22"),
        ("to bob@example.org", "to <address-1>"),
        ("root=live:http://bob:secret@host/x.iso", "root=live:http://<address-1>"),
        ("/home/bob/letter to the bank, 2026.odt is new", "<folder-1>"),
        ("changed: home/bob/diary", "changed: <folder-1>"),
        ("in /root/.ssh/id_rsa", "in <folder-1>"),
        ("/media/bob/STICK is gone", "<folder-1>"),
        (
            "2 overlays lie here: LiveOS/overlay-Bobs Key-99AA-BBCC",
            "2 overlays lie here: LiveOS/overlay-<label-1>-<uuid-1>",
        ),
        ("root=live:LABEL=BOBS", "root=live:LABEL=<name-1>"),
        ("/dev/disk/by-id/usb-SanDisk_0815-0:0", "/dev/disk/by-<name-1>"),
    ],
)
def test_what_looks_personal_is_replaced(text: str, disguised: str) -> None:
    assert Disguise({})(text) == disguised


@pytest.mark.parametrize(
    "text",
    [
        "live-rw: 0 4194304 snapshot 7:1 7:2 PO 8",
        "0 4194304 mirror 2 254:2 7:6 400/131072 1 AA 1 core",
        "Python: 3.11.7, kernel 6.1.0-13-amd64, dmsetup 1.02.185 (2022-05-18)",
        "[    0.423493] loop: module loaded",
        "begun 2026-11-24 13:30:02 UTC, 3 of 9 steps done",
        "LiveOS/home.img is locked; /home: 7:3 ext4 /dev/loop3 rw",
        "recover-20261124-133002-ab12",
    ],
)
def test_what_helps_stays(text: str) -> None:
    assert Disguise({})(text) == text
