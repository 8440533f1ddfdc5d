"""Each bad response is refused for its own reason, quickly, and the next good one is accepted."""

import pytest

from saml.errors import Refused
from saml.response import validate
from tests.costs import bounded
from tests.saml.attacks import Attack
from tests.saml.canary import visitors
from tests.saml.corpus import ATTACKS
from tests.saml.idp import BRIDGE, KICKS, NOW, answer, post, respond

#: Of the processor.
_SECONDS = 2.0


def test_attacks_have_distinct_names() -> None:
    assert len({attack.name for attack in ATTACKS}) == len(ATTACKS)


@pytest.mark.parametrize("attack", ATTACKS, ids=lambda attack: attack.name)
def test_refused_for_its_own_reason_in_bounded_time(attack: Attack) -> None:
    form = attack.make()
    visitors()  # of before
    refused = bounded(lambda: refusal_of(attack, form), _SECONDS)
    assert visitors() == 0
    assert type(refused) is attack.refusal, refused
    assert attack.check is None or refused.check == attack.check
    assert refused.text


def refusal_of(attack: Attack, form: dict[str, str]) -> Refused:
    with pytest.raises(Refused) as refused:
        validate(form, KICKS.trusted, BRIDGE, NOW, allow_unsolicited=attack.allow_unsolicited)
    return refused.value


def test_after_every_attack_a_good_response_is_accepted() -> None:
    for attack in ATTACKS:
        with pytest.raises(Refused):
            validate(attack.make(), KICKS.trusted, BRIDGE, NOW, allow_unsolicited=attack.allow_unsolicited)
    good = validate(post(respond(KICKS, answer())), KICKS.trusted, BRIDGE, NOW, allow_unsolicited=False)
    assert good.name_id == "mei@kicks.example"
