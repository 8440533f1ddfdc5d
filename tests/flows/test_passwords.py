"""Passwords (product.md 2.8): argon2id, a minimum length, and no telling who exists."""

from pathlib import Path

import pytest

from bridge.domain.errors import Invalid
from bridge.flows.passwords import hash_password, verify


def test_the_right_password_is_right() -> None:
    assert verify(hash_password("correct horse battery"), "correct horse battery")


@pytest.mark.parametrize(
    "guess", ["", "correct horse batterY", "correct horse battery ", "\ud800", "x" * 100_000, "\0"]
)
def test_any_other_is_wrong(guess: str) -> None:
    assert not verify(hash_password("correct horse battery"), guess)


def test_an_account_that_is_not_there_has_no_right_password() -> None:
    assert not verify(None, "nobody has this password")


def test_a_damaged_hash_lets_nobody_in() -> None:
    assert not verify("not a hash", "correct horse battery")


def test_a_password_is_never_kept_twice_the_same() -> None:
    assert hash_password("correct horse battery") != hash_password("correct horse battery")


@pytest.mark.parametrize("password", ["", "elevenchars", "x" * 1025])
def test_too_short_or_too_long_is_refused(password: str) -> None:
    with pytest.raises(Invalid):
        hash_password(password)


def test_any_script_will_do() -> None:
    assert verify(hash_password("пароль-из-слов"), "пароль-из-слов")


@pytest.mark.parametrize(
    ("kept", "typed"),
    [
        ("pässwörter sind lang", "pässwörter sind lang"),
        ("zwölf dogs walk 12", "zwölf dogs walk １２"),
        ("nine quiet dogs walk", "nine quiet dogs walk"),
    ],
    ids=["two-characters-or-one", "wide-digits", "spaces"],
)
def test_it_is_the_same_on_every_keyboard(kept: str, typed: str) -> None:
    assert verify(hash_password(kept), typed)
    assert verify(hash_password(typed), kept)


def test_its_length_is_that_of_what_is_kept() -> None:
    marked = "é" * 600  # 1,200 characters as typed, 600 as kept
    assert verify(hash_password(marked), "é" * 600)
    for too_short in ("ᾂ" * 11, "é" * 11):
        with pytest.raises(Invalid):
            hash_password(too_short)
    with pytest.raises(Invalid):
        hash_password("̖̀" * 50_000)


@pytest.mark.parametrize(
    "password",
    ["qwerty123456", "QWERTY123456", "passwordpassword", "1qaz2wsx3edc4rfv", "\uff50asswordpassword"],
    ids=["letters", "capitals", "twice", "keys", "wide-letter"],
)
def test_what_is_tried_first_is_refused(password: str) -> None:
    with pytest.raises(Invalid, match="tried first"):
        hash_password(password)


def test_so_is_ones_own_name() -> None:
    with pytest.raises(Invalid, match="little more than"):
        hash_password("MeiTanaka2026", "mei@kicks.example", "Mei Tanaka")


def test_the_list_is_folded_and_holds_only_what_is_long_enough() -> None:
    kept = Path("bridge/flows/common_passwords.txt").read_text(encoding="utf-8").splitlines()
    assert len(kept) > 25_000
    assert all(one == one.casefold() and len(one) >= 12 for one in kept)
