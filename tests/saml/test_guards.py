"""Every guard guards: with each item of the gate and each rule switched off in turn, something bad gets further.

"Further" is: accepted, or refused by a later check with another class. The few in `HELD_TWICE` are backed by a second,
independent check that refuses with the same class.
"""

from functools import cache

import pytest

from saml.errors import Refused
from saml.gate import GATE, Item
from saml.response import validate
from saml.rules import RULES, Rule
from tests.saml.attacks import Attack
from tests.saml.corpus import ATTACKS
from tests.saml.idp import BRIDGE, KICKS, NOW

ITEMS = tuple(item.name for item in GATE)
RULE_NAMES = tuple(rule.name for rule in RULES)

HELD_TWICE = frozenset({"root-is-response"})


def outcome(attack: Attack, off: str) -> tuple[str, str]:
    """(class, check) of the refusal with one guard off; ("accepted", the name) without one."""
    gate = tuple(item for item in GATE if item.name != off)
    rules = tuple(rule for rule in RULES if rule.name != off)
    try:
        assertion = validate(
            attack.make(),
            KICKS.trusted,
            BRIDGE,
            NOW,
            allow_unsolicited=attack.allow_unsolicited,
            gate=gate,
            rules=rules,
        )
    except Refused as refusal:
        return type(refusal).__name__, refusal.check
    return "accepted", assertion.name_id


def caught_by(guard: str) -> tuple[Attack, ...]:
    """The attacks that this guard is the one to refuse, without those that are dangerous when it is off."""
    return tuple(attack for attack, check in _checks() if check == guard)


@cache
def _checks() -> tuple[tuple[Attack, str], ...]:
    return tuple((attack, outcome(attack, "")[1]) for attack in ATTACKS if not attack.wild)


def test_guards_have_distinct_names() -> None:
    assert len({*ITEMS, *RULE_NAMES}) == len(GATE) + len(RULES)


@pytest.mark.parametrize("guard", ITEMS + RULE_NAMES)
def test_without_it_something_bad_gets_further(guard: str) -> None:
    assert caught_by(guard)
    changed = {outcome(attack, guard)[0] for attack in caught_by(guard)} - {
        a.refusal.__name__ for a in caught_by(guard)
    }
    assert bool(changed) == (guard not in HELD_TWICE)


@pytest.mark.parametrize("guard", [*GATE, *RULES], ids=lambda guard: guard.name)
def test_each_says_what_it_holds(guard: Item | Rule) -> None:
    assert guard.check.__doc__
    assert isinstance(guard, Item) or guard.paragraph.startswith(("Core ", "Profiles ", "Bindings "))
