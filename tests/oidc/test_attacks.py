"""Each bad token is refused for its own reason, quickly, and the next good one is accepted."""

import time
from dataclasses import replace

import pytest

from oidc import id_token, logout_token
from oidc.errors import Refused
from tests.oidc.attacks import ATTACKS, BUILT, Attack, bring
from tests.oidc.provider import claims, logout_claims, sign

#: Of the processor, and by the clock: a machine that is busy elsewhere makes any wait long.
SECONDS, WAIT = 2.0, 10.0


def test_attacks_have_distinct_names() -> None:
    assert len({attack.name for attack in ATTACKS}) == len(ATTACKS)


@pytest.mark.parametrize("attack", ATTACKS, ids=lambda attack: attack.name)
def test_refused_for_its_own_reason_in_bounded_time(attack: Attack) -> None:
    started, spent = time.monotonic(), time.process_time()
    with pytest.raises(Refused) as refused:
        bring(attack, BUILT[attack.name])
    assert time.process_time() - spent < SECONDS
    assert time.monotonic() - started < WAIT
    assert type(refused.value) is attack.refusal, refused.value
    assert refused.value.check == attack.check
    assert refused.value.text
    assert "mallory@evil" not in refused.value.text


def test_after_every_attack_a_good_token_is_accepted() -> None:
    for attack in ATTACKS:
        with pytest.raises(Refused):
            bring(attack, BUILT[attack.name])
    good = Attack("good", lambda: "", Refused)
    assert isinstance(bring(good, sign(claims())), id_token.IdToken)
    assert isinstance(bring(replace(good, logout=True), sign(logout_claims())), logout_token.LogoutToken)
