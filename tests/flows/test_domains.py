"""Domains: claimed, proved, looked for again, one proved owner across all workspaces (product.md 2.4)."""

from concurrent.futures import ThreadPoolExecutor
from datetime import datetime, timedelta
from threading import Barrier

import pytest
from sqlalchemy import select

from bridge.domain.domains import Domain, Looked, NotProved
from bridge.domain.errors import Conflict, Expired, Forbidden, Invalid, NotFound, TooManyTries
from bridge.flows.administer import WorkspaceDraft, create_workspace
from bridge.flows.context import OPERATOR
from bridge.flows.domains import (
    add_domain,
    get_domain,
    list_domains,
    recheck_domains,
    remove_domain,
    route_domain,
    trust_domain,
    verify_domain,
)
from bridge.flows.outside import Outside
from bridge.flows.password_login import ways_of
from bridge.storage.people import proves_domain
from bridge.storage.tables import audit, outbox
from bridge.worker import JOBS
from tests.flows.mailer import KeptMail, nothing_there
from tests.world import World

DAY = timedelta(days=1)
GONE = Looked(problem="There is no name.", absent=frozenset({"dns", "meta"}))
AWAY = Looked(problem="The name servers didn’t answer.")


class Net:
    """What looking for proofs finds: tokens by name; and what was looked for."""

    def __init__(self, *published: Domain, otherwise: Looked = GONE) -> None:
        self.published = {(domain.name, domain.token) for domain in published}
        self.otherwise = otherwise
        self.asked: list[str] = []

    def __call__(self, name: str, token: str) -> Looked:
        self.asked.append(name)
        return Looked("dns") if (name, token) in self.published else self.otherwise


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
    net = Net()
    assert verify_domain(kicks.context, marcus, "kicks", "kicks.example", net, kicks.now) == proved
    assert net.asked == []


def test_an_owner_may_not(kicks: World, marcus: str) -> None:
    add_domain(kicks.context, marcus, "kicks", "kicks.example", None, kicks.now)
    with pytest.raises(Forbidden):
        trust_domain(kicks.context, marcus, "kicks", "kicks.example", kicks.now)


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
        verify_domain(kicks.context, OPERATOR, "kicks", "kicks.example", Net(), kicks.now)


# -- Verifying ---------------------------------------------------------------------------------------


@pytest.fixture
def claimed(kicks: World, marcus: str) -> Domain:
    """`kicks` has claimed its domain."""
    return add_domain(kicks.context, marcus, "kicks", "kicks.example", None, kicks.now)


def events(world: World) -> list[str]:
    """The types of the events about domains, oldest first."""
    with world.context.database.reading() as rows:
        chosen = select(audit.c.type).where(audit.c.type.like("domain.%")).order_by(audit.c.workspace_id, audit.c.seq)
        return list(rows.execute(chosen).scalars())


def mails(world: World) -> list[str]:
    """Whom mail waits for."""
    with world.context.database.reading() as rows:
        return list(rows.execute(select(outbox.c.subject)).scalars())


def test_a_published_token_proves(kicks: World, marcus: str, claimed: Domain) -> None:
    later = kicks.now + DAY
    proved = verify_domain(kicks.context, marcus, "kicks", "KICKS.example.", Net(claimed), later)
    assert (proved.status, proved.proof, proved.proved_by, proved.found_at) == ("proved", "dns", marcus, later)
    assert get_domain(kicks.context, "kicks", "kicks.example") == proved
    assert events(kicks) == ["domain.claimed", "domain.proved"]
    assert [way.name for way in ways_of(kicks.context, "ann@kicks.example")] == ["Okta"]


def test_what_is_not_there_is_said_and_proves_nothing(kicks: World, marcus: str, claimed: Domain) -> None:
    with pytest.raises(NotProved, match=r"kicks.example isn’t proved: There is no name."):
        verify_domain(kicks.context, marcus, "kicks", "kicks.example", Net(), kicks.now)
    assert list_domains(kicks.context, "kicks")[0].status == "pending"
    assert list_domains(kicks.context, "kicks")[0].problem == "There is no name."


def test_no_transaction_is_open_while_looking(kicks: World, marcus: str, claimed: Domain) -> None:
    def look(name: str, token: str) -> Looked:
        with kicks.context.changing(OPERATOR, kicks.now) as change:  # would wait for one, on SQLite
            change.record(kicks.workspace.key, "domain.looked", name)
        return Looked("dns")

    assert verify_domain(kicks.context, marcus, "kicks", "kicks.example", look, kicks.now).status == "proved"


def test_a_token_is_good_for_fourteen_days(kicks: World, marcus: str, claimed: Domain) -> None:
    late, net = kicks.now + 14 * DAY, Net(claimed)
    with pytest.raises(Expired):
        verify_domain(kicks.context, marcus, "kicks", "kicks.example", net, late)
    assert net.asked == []
    renewed = add_domain(kicks.context, marcus, "kicks", "kicks.example", None, late)
    with pytest.raises(NotProved):
        verify_domain(kicks.context, marcus, "kicks", "kicks.example", net, late)
    net.published.add((renewed.name, renewed.token))
    assert verify_domain(kicks.context, marcus, "kicks", "kicks.example", net, late).status == "proved"


def test_a_claim_that_was_renewed_while_looking_is_not_proved_by_the_old_token(
    kicks: World, marcus: str, claimed: Domain
) -> None:
    def look(name: str, token: str) -> Looked:
        remove_domain(kicks.context, marcus, "kicks", name, kicks.now)
        add_domain(kicks.context, marcus, "kicks", name, None, kicks.now)
        return Looked("dns")

    assert verify_domain(kicks.context, marcus, "kicks", "kicks.example", look, kicks.now).status == "pending"


def test_another_workspaces_token_proves_nothing(kicks: World, boots: str, claimed: Domain) -> None:
    theirs = add_domain(kicks.context, OPERATOR, boots, "kicks.example", None, kicks.now)
    assert theirs.token != claimed.token
    with pytest.raises(NotProved):
        verify_domain(kicks.context, OPERATOR, boots, "kicks.example", Net(claimed), kicks.now)


def test_a_proved_domain_is_not_looked_for_elsewhere(kicks: World, boots: str, marcus: str, claimed: Domain) -> None:
    theirs = add_domain(kicks.context, OPERATOR, boots, "kicks.example", None, kicks.now)
    net = Net(claimed, theirs)
    verify_domain(kicks.context, marcus, "kicks", "kicks.example", net, kicks.now)
    with pytest.raises(Conflict, match="claimed by another workspace") as refusal:
        verify_domain(kicks.context, OPERATOR, boots, "kicks.example", net, kicks.now)
    assert "kicks co" not in refusal.value.text.lower()
    assert net.asked == ["kicks.example"]


def test_of_two_that_prove_at_once_one_does(kicks: World, boots: str, claimed: Domain) -> None:
    theirs = add_domain(kicks.context, OPERATOR, boots, "kicks.example", None, kicks.now)
    both, net = Barrier(2), Net(claimed, theirs)

    def look(name: str, token: str) -> Looked:
        both.wait(10)
        return net(name, token)

    def verify(slug: str) -> str:
        try:
            return verify_domain(kicks.context, OPERATOR, slug, "kicks.example", look, kicks.now).status
        except Conflict as refusal:
            return refusal.text

    with ThreadPoolExecutor(2) as pool:
        told = sorted(pool.map(verify, ("kicks", boots)))
    assert told[1] == "proved"
    assert "claimed by another workspace" in told[0]
    assert sorted(list_domains(kicks.context, slug)[0].status for slug in ("kicks", boots)) == ["pending", "proved"]


@pytest.mark.parametrize("email", ["ann@mail.kicks.example", "ann@example", "ann@notkicks.example", "ann@kicks.example.evil.test", "ann@k\u0456cks.example"])  # fmt: skip  # noqa: E501
def test_a_proof_is_for_that_name_alone(kicks: World, marcus: str, claimed: Domain, email: str) -> None:
    verify_domain(kicks.context, marcus, "kicks", "kicks.example", Net(claimed), kicks.now)
    assert ways_of(kicks.context, email) == ()
    with kicks.context.database.reading() as rows:
        assert not proves_domain(rows, kicks.workspace.key, email)


def test_a_name_below_or_above_is_another_claim(kicks: World, boots: str, marcus: str, claimed: Domain) -> None:
    verify_domain(kicks.context, marcus, "kicks", "kicks.example", Net(claimed), kicks.now)
    below = add_domain(kicks.context, OPERATOR, boots, "mail.kicks.example", None, kicks.now)
    net = Net(claimed)
    with pytest.raises(NotProved):
        verify_domain(kicks.context, OPERATOR, boots, "mail.kicks.example", net, kicks.now)
    assert net.asked == ["mail.kicks.example"]
    assert verify_domain(kicks.context, OPERATOR, boots, below.name, Net(below), kicks.now).status == "proved"


def test_only_owners_verify_route_and_remove(kicks: World, claimed: Domain) -> None:
    stranger, net = "user:nobody", Net(claimed)
    with pytest.raises(Forbidden):
        verify_domain(kicks.context, stranger, "kicks", "kicks.example", net, kicks.now)
    with pytest.raises(Forbidden):
        route_domain(kicks.context, stranger, "kicks", "kicks.example", None, kicks.now)
    with pytest.raises(Forbidden):
        remove_domain(kicks.context, stranger, "kicks", "kicks.example", kicks.now)
    assert net.asked == []


def test_looking_is_not_a_way_to_keep_us_busy(kicks: World, marcus: str, claimed: Domain) -> None:
    net = Net()
    for _ in range(20):
        with pytest.raises(NotProved):
            verify_domain(kicks.context, marcus, "kicks", "kicks.example", net, kicks.now)
    with pytest.raises(TooManyTries):
        verify_domain(kicks.context, marcus, "kicks", "kicks.example", net, kicks.now)
    assert len(net.asked) == 20


@pytest.mark.parametrize("name", ["co.uk", "github.io", "gmail.com"])
def test_what_belongs_to_everybody_is_not_claimed(kicks: World, marcus: str, name: str) -> None:
    with pytest.raises(Invalid):
        add_domain(kicks.context, marcus, "kicks", name, None, kicks.now)


# -- Its connection, and letting go ------------------------------------------------------------------


def test_its_people_are_sent_to_the_connection_that_an_owner_chooses(
    kicks: World, marcus: str, claimed: Domain
) -> None:
    routed = route_domain(kicks.context, marcus, "kicks", "kicks.example", kicks.connection.id, kicks.now)
    assert routed.connection_id == kicks.connection.id
    assert route_domain(kicks.context, marcus, "kicks", "kicks.example", None, kicks.now).connection_id is None
    assert events(kicks) == ["domain.claimed", "domain.routed", "domain.routed"]
    with pytest.raises(NotFound):
        route_domain(kicks.context, marcus, "kicks", "kicks.example", "another", kicks.now)


def test_a_domain_that_was_let_go_is_free_for_others(kicks: World, boots: str, marcus: str, claimed: Domain) -> None:
    verify_domain(kicks.context, marcus, "kicks", "kicks.example", Net(claimed), kicks.now)
    assert remove_domain(kicks.context, marcus, "kicks", "kicks.example", kicks.now).status == "proved"
    assert list_domains(kicks.context, "kicks") == ()
    assert ways_of(kicks.context, "ann@kicks.example") == ()
    theirs = add_domain(kicks.context, OPERATOR, boots, "kicks.example", None, kicks.now)
    assert verify_domain(kicks.context, OPERATOR, boots, theirs.name, Net(theirs), kicks.now).status == "proved"


# -- Looking again -----------------------------------------------------------------------------------


@pytest.fixture
def proved(kicks: World, marcus: str, claimed: Domain) -> Domain:
    """The domain of `kicks`, proved by DNS."""
    return verify_domain(kicks.context, marcus, "kicks", "kicks.example", Net(claimed), kicks.now)


def recheck(world: World, net: Net, now: datetime) -> Domain:
    recheck_domains(world.context, net, now)
    return get_domain(world.context, "kicks", "kicks.example")


def test_a_proof_is_looked_for_once_a_day(kicks: World, proved: Domain) -> None:
    net = Net(proved)
    assert recheck_domains(kicks.context, net, kicks.now + DAY / 2) == 0
    assert recheck_domains(kicks.context, net, kicks.now + DAY) == 1
    assert recheck_domains(kicks.context, net, kicks.now + DAY) == 0
    assert get_domain(kicks.context, "kicks", "kicks.example").found_at == kicks.now + DAY


def test_neither_claims_nor_the_operators_word_are_looked_for(kicks: World, marcus: str, claimed: Domain) -> None:
    net = Net()
    assert recheck_domains(kicks.context, net, kicks.now + DAY) == 0
    trust_domain(kicks.context, OPERATOR, "kicks", "kicks.example", kicks.now)
    assert recheck_domains(kicks.context, net, kicks.now + 100 * DAY) == 0


def test_a_lost_proof_is_warned_about_once_and_ends_a_week_later(kicks: World, proved: Domain) -> None:
    for day in range(1, 8):
        assert recheck(kicks, Net(), kicks.now + day * DAY).status == "proved"
    assert events(kicks)[2:] == ["domain.proof_missing"]
    assert mails(kicks) == ["marcus@kicks.example"]
    assert ways_of(kicks.context, "ann@kicks.example")
    ended = recheck(kicks, Net(), kicks.now + 8 * DAY)
    assert ended.status == "pending"
    assert events(kicks)[3:] == ["domain.unproved"]
    assert len(mails(kicks)) == 2
    assert ways_of(kicks.context, "ann@kicks.example") == ()
    with kicks.context.database.reading() as rows:
        assert not proves_domain(rows, kicks.workspace.key, "ann@kicks.example")


def test_a_proof_that_comes_back_in_time_is_all_well_again(kicks: World, proved: Domain) -> None:
    recheck(kicks, Net(), kicks.now + DAY)
    assert recheck(kicks, Net(proved), kicks.now + 2 * DAY).missing_since is None
    assert events(kicks)[2:] == ["domain.proof_missing", "domain.proof_found"]
    assert recheck(kicks, Net(), kicks.now + 8 * DAY).status == "proved"


def test_the_same_token_proves_a_domain_again(kicks: World, marcus: str, proved: Domain) -> None:
    for day in (1, 8):
        recheck(kicks, Net(), kicks.now + day * DAY)
    again = verify_domain(kicks.context, marcus, "kicks", "kicks.example", Net(proved), kicks.now + 9 * DAY)
    assert again.status == "proved"


def test_name_servers_that_are_away_for_some_days_cost_nothing(kicks: World, proved: Domain) -> None:
    for day in range(1, 7):
        assert recheck(kicks, Net(otherwise=AWAY), kicks.now + day * DAY).missing_since is None
    assert mails(kicks) == []


def test_verifying_a_proved_domain_looks_again(kicks: World, marcus: str, proved: Domain) -> None:
    with pytest.raises(NotProved, match="It stays proved until"):
        verify_domain(kicks.context, marcus, "kicks", "kicks.example", Net(), kicks.now + DAY)
    assert events(kicks)[2:] == ["domain.proof_missing"]


def test_a_domain_that_was_let_go_while_looking_stays_gone(kicks: World, marcus: str, proved: Domain) -> None:
    def look(name: str, token: str) -> Looked:
        remove_domain(kicks.context, marcus, "kicks", name, kicks.now)
        return Looked("dns")

    assert recheck_domains(kicks.context, look, kicks.now + DAY) == 1
    assert list_domains(kicks.context, "kicks") == ()


def test_the_worker_looks(kicks: World, proved: Domain) -> None:
    net = Net(proved)
    job = next(job for job in JOBS if job.name == "look-for-proofs")
    job.run(kicks.context, Outside(nothing_there, KeptMail(), net), kicks.now + DAY)
    assert net.asked == ["kicks.example"]
