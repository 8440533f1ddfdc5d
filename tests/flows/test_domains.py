"""Domains: claimed, proved, one proved owner across all workspaces (product.md 2.4)."""

from datetime import timedelta

import pytest

from bridge.domain.errors import Conflict, DomainError, Forbidden, Invalid, NotFound
from bridge.flows.administer import WorkspaceDraft, create_workspace
from bridge.flows.context import OPERATOR
from bridge.flows.domains import add_domain, list_domains, trust_domain, verify_domain
from tests.world import World


@pytest.fixture
def boots(kicks: World) -> str:
    """Another workspace."""
    create_workspace(kicks.context, OPERATOR, WorkspaceDraft("boots", "Boots", "x@boots.example"), kicks.now)
    return "boots"


def test_a_claim_says_how_to_prove_it(kicks: World, marcus: str) -> None:
    domain = add_domain(kicks.context, marcus, "kicks", "Kicks.EXAMPLE.", kicks.connection.id, kicks.now)
    assert (domain.name, domain.status, domain.connection_id) == ("kicks.example", "pending", kicks.connection.id)
    assert domain.dns_record == f'_bridge-challenge.kicks.example TXT "{domain.token}"'
    assert domain.meta_tag == f'<meta name="bridge-domain-verification" content="{domain.token}">'
    assert domain.token_expires_at == kicks.now + timedelta(days=14)


def test_the_same_token_until_it_runs_out(kicks: World, marcus: str) -> None:
    first = add_domain(kicks.context, marcus, "kicks", "kicks.example", None, kicks.now)
    again = add_domain(kicks.context, marcus, "kicks", "kicks.example", None, kicks.now + timedelta(days=13))
    later = add_domain(kicks.context, marcus, "kicks", "kicks.example", None, kicks.now + timedelta(days=14))
    assert first.token == again.token != later.token


@pytest.mark.parametrize("name", ["", "kicks", "kicks..example", "-kicks.example", "192.0.2.1", "a b.example", "x@y.example", "*.x.example", "k" * 300 + ".example"])  # fmt: skip  # noqa: E501
def test_a_domain_is_a_domain(kicks: World, marcus: str, name: str) -> None:
    with pytest.raises(Invalid):
        add_domain(kicks.context, marcus, "kicks", name, None, kicks.now)


def test_a_name_of_any_script_is_kept_in_its_ascii_form(kicks: World, marcus: str) -> None:
    assert add_domain(kicks.context, marcus, "kicks", "Köln.example", None, kicks.now).name == "xn--kln-sna.example"


def test_the_operator_may_say_that_it_was_proved_elsewhere(kicks: World, marcus: str) -> None:
    add_domain(kicks.context, marcus, "kicks", "kicks.example", None, kicks.now)
    proved = trust_domain(kicks.context, OPERATOR, "kicks", "kicks.example", kicks.now)
    assert (proved.status, proved.proved_at, proved.proved_by) == ("proved", kicks.now, OPERATOR)
    assert list_domains(kicks.context, "kicks") == (proved,)
    assert verify_domain(kicks.context, "kicks", "kicks.example") == proved


def test_an_owner_may_not(kicks: World, marcus: str) -> None:
    add_domain(kicks.context, marcus, "kicks", "kicks.example", None, kicks.now)
    with pytest.raises(Forbidden):
        trust_domain(kicks.context, marcus, "kicks", "kicks.example", kicks.now)


def test_a_proof_is_not_made_up(kicks: World, marcus: str) -> None:
    add_domain(kicks.context, marcus, "kicks", "kicks.example", None, kicks.now)
    with pytest.raises(DomainError, match="--trust"):
        verify_domain(kicks.context, "kicks", "kicks.example")
    assert list_domains(kicks.context, "kicks")[0].status == "pending"


def test_several_may_claim_and_one_proves(kicks: World, boots: str, marcus: str) -> None:
    for slug in ("kicks", boots):
        add_domain(kicks.context, OPERATOR, slug, "shared.example", None, kicks.now)
    trust_domain(kicks.context, OPERATOR, "kicks", "shared.example", kicks.now)
    with pytest.raises(Conflict) as refusal:
        trust_domain(kicks.context, OPERATOR, boots, "shared.example", kicks.now)
    assert "kicks" not in refusal.value.text.lower()
    assert list_domains(kicks.context, boots)[0].status == "pending"


def test_a_proved_domain_is_not_claimed_again_elsewhere(kicks: World, boots: str) -> None:
    add_domain(kicks.context, OPERATOR, "kicks", "shared.example", None, kicks.now)
    trust_domain(kicks.context, OPERATOR, "kicks", "shared.example", kicks.now)
    with pytest.raises(Conflict, match="claimed by another workspace"):
        add_domain(kicks.context, OPERATOR, boots, "shared.example", None, kicks.now)


def test_what_was_not_claimed_is_not_proved(kicks: World) -> None:
    with pytest.raises(NotFound):
        trust_domain(kicks.context, OPERATOR, "kicks", "kicks.example", kicks.now)
    with pytest.raises(NotFound):
        verify_domain(kicks.context, "kicks", "kicks.example")
