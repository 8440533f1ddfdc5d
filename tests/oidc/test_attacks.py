"""Each bad token is refused for its own reason, quickly, and the next good one is accepted."""

from dataclasses import replace

import pytest

from oidc import id_token, logout_token
from oidc.errors import Refused
from tests.costs import bounded
from tests.oidc.attacks import ATTACKS, BUILT, Attack, bring
from tests.oidc.provider import claims, logout_claims, sign

#: Of the processor.
SECONDS = 2.0


def test_attacks_have_distinct_names() -> None:
    assert len({attack.name for attack in ATTACKS}) == len(ATTACKS)


@pytest.mark.parametrize("attack", ATTACKS, ids=lambda attack: attack.name)
def test_refused_for_its_own_reason_in_bounded_time(attack: Attack) -> None:
    refused = bounded(lambda: refusal_of(attack), SECONDS)
    assert type(refused) is attack.refusal, refused
    assert refused.check == attack.check
    assert refused.text
    assert "mallory@evil" not in refused.text


def refusal_of(attack: Attack) -> Refused:
    with pytest.raises(Refused) as refused:
        bring(attack, BUILT[attack.name])
    return refused.value


def test_after_every_attack_a_good_token_is_accepted() -> None:
    for attack in ATTACKS:
        with pytest.raises(Refused):
            bring(attack, BUILT[attack.name])
    good = Attack("good", lambda: "", Refused)
    assert isinstance(bring(good, sign(claims())), id_token.IdToken)
    assert isinstance(bring(replace(good, logout=True), sign(logout_claims())), logout_token.LogoutToken)
