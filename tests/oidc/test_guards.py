"""Every check checks: with each switched off in turn, something bad gets further.

"Further" is: accepted, or refused by a later check with another class.
"""

from functools import cache

import pytest

from oidc import id_token, logout_token
from oidc.checks import Check
from oidc.errors import Refused
from tests.oidc.attacks import ATTACKS, BUILT, Attack, bring

TABLES = {False: id_token.CHECKS, True: logout_token.CHECKS}
GUARDS = [(logout, check.name) for logout, table in TABLES.items() for check in table]


def outcome(attack: Attack, off: str) -> tuple[str, str]:
    """(class, check) of the refusal with one check off; ("accepted", "") without one."""
    checks: tuple[Check, ...] = tuple(check for check in TABLES[attack.logout] if check.name != off)
    try:
        bring(attack, BUILT[attack.name], checks)
    except Refused as refusal:
        return type(refusal).__name__, refusal.check
    return "accepted", ""


@cache
def caught_by(logout: bool, guard: str) -> tuple[Attack, ...]:
    """The attacks that this check is the one to refuse."""
    return tuple(attack for attack in ATTACKS if attack.logout is logout and attack.check == guard)


@pytest.mark.parametrize(("logout", "guard"), GUARDS)
def test_without_it_something_bad_gets_further(logout: bool, guard: str) -> None:
    caught = caught_by(logout, guard)
    assert caught
    assert {outcome(attack, guard)[0] for attack in caught} - {attack.refusal.__name__ for attack in caught}
