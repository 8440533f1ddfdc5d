"""Only `validate` makes an Assertion."""

import copy
import dataclasses
import re
from pathlib import Path
from typing import Any

import pytest

from saml.assertion import Assertion
from saml.response import validate
from tests.saml.idp import BRIDGE, KICKS, NOW, sign_in

ROOT = Path(__file__).parents[2]


@pytest.fixture
def proof() -> Assertion:
    return validate(sign_in(), KICKS.trusted, BRIDGE, NOW, allow_unsolicited=False)


def values(proof: Assertion) -> dict[str, Any]:
    return {field.name: getattr(proof, field.name) for field in dataclasses.fields(proof)}


@pytest.mark.parametrize("seal", [{}, {"seal": None}, {"seal": object()}])
def test_a_call_without_the_seal_is_refused(proof: Assertion, seal: dict[str, object]) -> None:
    with pytest.raises(TypeError):
        Assertion(**values(proof), **seal)


def test_replace_makes_no_other(proof: Assertion) -> None:
    with pytest.raises((TypeError, ValueError)):
        dataclasses.replace(proof, name_id="mallory@evil.example")


def test_it_does_not_change(proof: Assertion) -> None:
    with pytest.raises(AttributeError):
        proof.name_id = "mallory@evil.example"  # type: ignore[misc]
    with pytest.raises(TypeError):
        proof.attributes["email"] = ("mallory@evil.example",)


def test_a_copy_says_the_same(proof: Assertion) -> None:
    assert copy.copy(proof) == proof


def test_no_other_module_names_the_seal() -> None:
    naming = {
        path.relative_to(ROOT).as_posix()
        for package in ("bridge", "saml", "simulated", "tests")
        for path in (ROOT / package).rglob("*.py")
        if re.search(r"assertion(\.| import .*)\bSEAL\b", path.read_text(encoding="utf-8"))
    }
    assert naming == {"saml/response.py"}
