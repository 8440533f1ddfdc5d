"""What isn't in a table guards too: each condition of `response`, `toolkit` and `encryption`, taken out of its module's
source in turn, lets something of the corpus get further than it should.

As in test_guards.py, "further" is accepted, or refused otherwise. `BACKED` names those that a second, independent check
stands behind with the same refusal; with both out, something gets through, which is tested, too.
"""

import sys
from dataclasses import dataclass
from functools import cache
from importlib import import_module
from pathlib import Path
from types import FunctionType, ModuleType

import pytest

from saml.errors import Refused
from saml.response import validate
from tests.properties.guards import Guard
from tests.properties.switch import weakened
from tests.saml.attacks import Attack
from tests.saml.corpus import ATTACKS
from tests.saml.idp import BRIDGE, KICKS, NOW


@dataclass(frozen=True, slots=True)
class Switch:
    """`code` stands once in `module`; `without` in its place takes the guard out."""

    name: str
    module: str
    code: str
    without: str


LARGE = 40_000  # octets
_RESPONSE, _TOOLKIT, _ENCRYPTION = "saml.response", "saml.toolkit", "saml.encryption"

SWITCHES = (
    Switch(
        "a response's signature is verified",
        _RESPONSE,
        "    if _is_signed(response):\n        _verify(response, idp, witness)\n",
        "",
    ),
    Switch(
        "an assertion's signature is verified",
        _RESPONSE,
        "        _verify(assertion, idp, witness)\n",
        "",
    ),
    Switch("what was decrypted passes the gate", _RESPONSE, "        gates.check(opened, Stage.TREE, gate)\n", ""),
    Switch(
        "every failure inside is one",
        _RESPONSE,
        "    except Refused:\n        raise DecryptionFailed from None",
        "    except ZeroDivisionError:\n        raise",
    ),
    Switch("a form has a response", _RESPONSE, "    if not encoded:\n        raise MissingResponse\n", ""),
    Switch("a signature is good", _TOOLKIT, "    raise BadSignature", "    return certificates[0]"),
    Switch(
        "the schema is asked", _TOOLKIT, "            return _schema().validate(document)", "            return True"
    ),
    Switch(
        "a key is as long as its algorithm says",
        _ENCRYPTION,
        "    if len(key) != (algorithms.AES_GCM | algorithms.AES_CBC)[algorithm]:",
        "    if False:",
    ),
    Switch(
        "GCM is told from CBC",
        _ENCRYPTION,
        "    if algorithm in algorithms.AES_GCM:",
        "    if True:",
    ),
)

#: Each with what stands behind it.
BACKED = (
    (
        Switch(
            "the toolkit's opinion of a message in clear",
            _RESPONSE,
            "    toolkit.check_signed_elements(response, None)\n",
            "",
        ),
        Switch("an assertion is covered", _RESPONSE, "        raise NotSigned", "        pass"),
    ),
    (
        Switch(
            "the toolkit's opinion of an opened message",
            _RESPONSE,
            "        toolkit.check_signed_elements(response, opened)\n",
            "",
        ),
        Switch("an opened assertion is covered", _RESPONSE, "        raise NotSigned", "        pass"),
    ),
)


def weaken(patch: pytest.MonkeyPatch, *switches: Switch) -> None:
    """Take the guards out of the running modules: only the code of functions is exchanged, nothing is imported anew."""
    for name in {one.module for one in switches}:
        module = import_module(name)
        source = Path(module.__file__ or "").read_text()
        for one in switches:
            if one.module == name:
                source = weakened(Guard(one.name, "3", name, one.code, one.without, ()), source)
        weaker = ModuleType(name)
        patch.setitem(sys.modules, name, weaker)
        exec(compile(source, module.__file__ or "", "exec"), weaker.__dict__)
        patch.setitem(sys.modules, name, module)
        for known, value in vars(module).items():
            if isinstance(value, FunctionType) and value.__module__ == name:
                patch.setattr(value, "__code__", vars(weaker)[known].__code__)


@cache
def form(attack: Attack) -> dict[str, str]:
    """Its form, made once: signing costs more than refusing."""
    return attack.make()


def outcome(attack: Attack) -> str:
    """The class that refuses it, or "accepted", or what broke."""
    try:
        validate(form(attack), KICKS.trusted, BRIDGE, NOW, allow_unsolicited=attack.allow_unsolicited)
    except Refused as refusal:
        return type(refusal).__name__
    except (TypeError, ValueError, LookupError, AttributeError) as error:
        return f"broke: {type(error).__name__}"
    return "accepted"


#: Without those that are only large: they take their time, and the table of the gate has them.
TAME = tuple(attack for attack in ATTACKS if not attack.wild and len(attack.octets()) < LARGE)


def let_further(patch: pytest.MonkeyPatch, *switches: Switch) -> set[str]:
    """The attacks that aren't refused as they should be, with these off."""
    weaken(patch, *switches)
    return {attack.name for attack in TAME if outcome(attack) != attack.refusal.__name__}


@pytest.mark.parametrize("switch", SWITCHES, ids=lambda switch: switch.name)
def test_without_it_something_gets_further(monkeypatch: pytest.MonkeyPatch, switch: Switch) -> None:
    assert let_further(monkeypatch, switch)


@pytest.mark.parametrize("pair", BACKED, ids=lambda pair: pair[0].name)
def test_without_it_and_what_stands_behind_it_something_gets_further(
    monkeypatch: pytest.MonkeyPatch, pair: tuple[Switch, Switch]
) -> None:
    for one in pair:
        with monkeypatch.context() as alone:
            assert not let_further(alone, one)
    assert let_further(monkeypatch, *pair)


def test_with_all_of_them_on_nothing_does() -> None:
    assert not {attack.name for attack in TAME if outcome(attack) != attack.refusal.__name__}
