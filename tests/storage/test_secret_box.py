"""Secrets at rest open with the right key, for the right purpose, unchanged; else they stay closed and say why."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bridge.storage.secret_box import Damaged, KeyMissing, SecretBox

BOX = SecretBox(("a key",))


@given(st.binary(max_size=100), st.text(max_size=20))
def test_what_goes_in_comes_out(secret: bytes, purpose: str) -> None:
    assert BOX.decrypt(BOX.encrypt(secret, purpose), purpose) == secret


def test_a_blob_holds_no_trace_of_the_secret() -> None:
    assert b"private key" not in BOX.encrypt(b"private key", "column")


def test_the_same_secret_never_looks_the_same() -> None:
    assert BOX.encrypt(b"secret", "column") != BOX.encrypt(b"secret", "column")


def test_a_blob_moved_to_another_column_stays_closed() -> None:
    with pytest.raises(Damaged, match=r"users\.password"):
        BOX.decrypt(BOX.encrypt(b"secret", "connections.secrets_enc"), "users.password")


@given(st.data())
def test_a_changed_bit_anywhere_keeps_it_closed(data: st.DataObject) -> None:
    blob = bytearray(BOX.encrypt(b"secret", "column"))
    position = data.draw(st.integers(0, len(blob) - 1))
    blob[position] ^= 1 << data.draw(st.integers(0, 7))
    with pytest.raises((Damaged, KeyMissing)):
        BOX.decrypt(bytes(blob), "column")


@given(st.binary(max_size=60))
def test_what_never_was_a_blob_stays_closed(noise: bytes) -> None:
    with pytest.raises((Damaged, KeyMissing)):
        BOX.decrypt(noise, "column")


@pytest.mark.parametrize("length", range(0, 60, 7))
def test_a_cut_blob_stays_closed(length: int) -> None:
    blob = BOX.encrypt(b"x" * 100, "column")
    with pytest.raises((Damaged, KeyMissing)):
        BOX.decrypt(blob[:length], "column")


def test_after_a_new_key_came_first_the_old_still_decrypts() -> None:
    blob = BOX.encrypt(b"secret", "column")
    rotated = SecretBox(("a new key", "a key"))
    assert rotated.decrypt(blob, "column") == b"secret"
    assert not blob.startswith(rotated.mark)
    assert rotated.encrypt(b"secret", "column").startswith(rotated.mark)


def test_a_new_first_key_is_the_one_that_encrypts() -> None:
    blob = SecretBox(("a new key", "a key")).encrypt(b"secret", "column")
    assert SecretBox(("a new key",)).decrypt(blob, "column") == b"secret"
    with pytest.raises(KeyMissing, match="BRIDGE_SECRET_KEYS"):
        BOX.decrypt(blob, "column")


def test_derived_keys_differ_by_purpose_and_key_and_stay_the_same() -> None:
    assert BOX.derive("flask") == SecretBox(("a key", "older")).derive("flask")
    assert len({BOX.derive("flask"), BOX.derive("csrf"), SecretBox(("other",)).derive("flask")}) == 3
    assert len(BOX.derive("flask")) == 32


@pytest.mark.parametrize("keys", [(), ("",), ("a key", "")])
def test_a_box_without_a_key_is_not_made(keys: tuple[str, ...]) -> None:
    with pytest.raises(ValueError, match="key"):
        SecretBox(keys)


def test_keys_are_never_shown() -> None:
    assert "a key" not in repr(BOX)
