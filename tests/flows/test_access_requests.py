"""Access requests (product.md 1.8; properties 10, 12, 20)."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from threading import Barrier

import pytest

from bridge.domain.access import EVERYWHERE, RoleInScope
from bridge.domain.errors import Conflict, DomainError, Forbidden, Invalid, NotFound, NotInPlan, TooManyTries
from bridge.domain.mail import Mail
from bridge.domain.resources import Resource
from bridge.domain.roles import get_role
from bridge.flows import access_requests as flow
from bridge.flows.accept_invitation import accept_as
from bridge.flows.access_requests import (
    AccessRequest,
    RequestDraft,
    ask_for_access,
    grant_request,
    list_requests,
    my_requests,
    refuse_request,
    withdraw,
)
from bridge.flows.administer import set_plan
from bridge.flows.context import OPERATOR
from bridge.flows.deliver import deliver_due
from bridge.flows.explain import access_of
from bridge.flows.give_roles import give_to_member
from bridge.flows.invite import InviteDraft, invite
from bridge.flows.members import find_member_id, remove_member
from bridge.flows.overview import count_all
from bridge.flows.resources import ResourceDraft, add_resource, delete_resource
from bridge.storage import people
from bridge.storage.access_requests import StoredRequest
from tests.flows.audit import audit_events
from tests.flows.logins import account, join
from tests.flows.mailer import KeptMail, link_of
from tests.world import World

KIM = "kim@kicks.example"
WEBSITE = RequestDraft("source_admin", "Website", "I look after its events.")


@pytest.fixture
def site(kicks: World, marcus: str) -> Resource:
    return add_resource(kicks.context, marcus, "kicks", ResourceDraft("source", "Website", "website"), kicks.now)


@pytest.fixture
def kim(kicks: World, site: Resource) -> str:
    """A plain member, as an actor."""
    join(kicks, account(kicks, KIM))
    return actor_of(kicks, KIM)


def actor_of(kicks: World, email: str) -> str:
    with kicks.context.database.reading() as connection:
        user = people.find_user_by_email(connection, email)
    assert user is not None
    return f"user:{user.id}"


def ask(kicks: World, actor: str, draft: RequestDraft = WEBSITE) -> AccessRequest:
    return ask_for_access(kicks.context, actor, "kicks", draft, kicks.now)


def mails(kicks: World) -> list[Mail]:
    mailer = KeptMail()
    while deliver_due(kicks.context, mailer, kicks.now):
        pass
    return mailer.sent


def has(kicks: World, email: str = KIM) -> set[tuple[str, str]]:
    found = access_of(kicks.context, "kicks", email, kicks.now)
    return {(one.role.id, " ".join(one.scope.render())) for one in found}


def test_owners_are_told_and_granting_gives_just_that(kicks: World, marcus: str, kim: str, site: Resource) -> None:
    made = ask(kicks, kim)
    [told] = mails(kicks)
    assert told.to == "marcus@kicks.example"
    assert "asks to get Source Admin on Website." in told.text
    assert "“I look after its events.”" in told.text
    assert "http://localhost:8000/w/kicks/access-requests" in told.text
    assert list_requests(kicks.context, "kicks") == (made,)
    assert count_all(kicks.context, "kicks").requests == 1
    before = has(kicks)
    grant_request(kicks.context, marcus, "kicks", made.id, kicks.now)
    assert has(kicks) - before == {("source_admin", str(site.ref))}
    assert list_requests(kicks.context, "kicks") == ()
    assert count_all(kicks.context, "kicks").requests == 0
    [heard] = mails(kicks)
    assert heard.to == KIM
    assert "Marcus granted what you asked for: you get Source Admin on Website in Kicks Co" in heard.text
    kinds = [kind for _, kind, _ in audit_events(kicks.context)]
    assert kinds[-3:] == ["access_request.made", "access_request.granted", "grant.given"]


def test_refusing_changes_nothing_and_says_the_word(kicks: World, marcus: str, kim: str) -> None:
    made, before = ask(kicks, kim), has(kicks)
    mails(kicks)
    refuse_request(kicks.context, marcus, "kicks", made.id, " Ask Mei, it is hers. ", kicks.now)
    [heard] = mails(kicks)
    assert heard.to == KIM
    assert "“Ask Mei, it is hers.”" in heard.text
    assert has(kicks) == before
    assert list_requests(kicks.context, "kicks") == ()


@pytest.mark.parametrize("answer", ["grant", "refuse", "withdraw"])
def test_an_answered_request_is_gone(kicks: World, marcus: str, kim: str, answer: str) -> None:
    made = ask(kicks, kim)
    answers: dict[str, Callable[[], None]] = {
        "grant": lambda: grant_request(kicks.context, marcus, "kicks", made.id, kicks.now),
        "refuse": lambda: refuse_request(kicks.context, marcus, "kicks", made.id, "", kicks.now),
        "withdraw": lambda: withdraw(kicks.context, kim, "kicks", made.id, kicks.now),
    }
    answers[answer]()
    for again in answers.values():
        with pytest.raises(NotFound):
            again()
    assert my_requests(kicks.context, "kicks", made.membership_id) == ()


@pytest.mark.parametrize(
    ("draft", "refusal"),
    [
        (RequestDraft("source_admin", "", "why"), Invalid),
        (RequestDraft("source_admin", "Nowhere", "why"), Invalid),
        (RequestDraft("warehouse_admin", "Website", "why"), Invalid),
        (RequestDraft("source_admin", "Website", " "), Invalid),
        (RequestDraft("source_admin", "Website", "w" * 1001), Invalid),
        (RequestDraft("workspace_owner", "", "why"), Invalid),
        (RequestDraft("minimal_workspace_access", "", "why"), Invalid),
        (RequestDraft("nonsense", "", "why"), NotFound),
    ],
    ids=["no resource", "no such one", "another type", "no message", "long", "owner", "minimal", "no such role"],
)
def test_what_makes_no_sense_is_refused(
    kicks: World, kim: str, draft: RequestDraft, refusal: type[DomainError]
) -> None:
    with pytest.raises(refusal):
        ask(kicks, kim, draft)
    assert list_requests(kicks.context, "kicks") == ()
    assert mails(kicks) == []


@pytest.mark.parametrize("name", ["website", "WEBSITE", "id", "type and id"])
def test_a_resource_is_found_by_its_name_and_its_id(kicks: World, kim: str, site: Resource, name: str) -> None:
    typed = {"id": site.ref.id, "type and id": str(site.ref)}.get(name, name)
    assert ask(kicks, kim, RequestDraft("source_admin", typed, "why")).asks == "get Source Admin on Website"


def test_of_two_with_one_name_the_id_says_which(kicks: World, marcus: str, kim: str) -> None:
    for slug in ("shop-1", "shop-2"):
        add_resource(kicks.context, marcus, "kicks", ResourceDraft("source", "Shop", slug), kicks.now)
    with pytest.raises(Invalid, match="More than one source"):
        ask(kicks, kim, RequestDraft("source_admin", "Shop", "why"))
    made = ask(kicks, kim, RequestDraft("source_admin", "shop-2", "why"))
    grant_request(kicks.context, marcus, "kicks", made.id, kicks.now)
    assert ("source_admin", "source:shop-2") in has(kicks)


def test_a_role_without_resources_is_asked_for_as_it_is(kicks: World, marcus: str, kim: str) -> None:
    made = ask(kicks, kim, RequestDraft("identity_admin", "anything", "why"))
    assert made.asks == "get Identity Admin"
    grant_request(kicks.context, marcus, "kicks", made.id, kicks.now)
    assert ("identity_admin", "all") in has(kicks)


def test_the_same_is_not_asked_twice_nor_what_one_has(kicks: World, marcus: str, kim: str) -> None:
    made = ask(kicks, kim)
    with pytest.raises(Conflict, match="asked for that already"):
        ask(kicks, kim)
    other = ask(kicks, kim, RequestDraft("source_read_only", "Website", "why"))
    grant_request(kicks.context, marcus, "kicks", made.id, kicks.now)
    for role in ("source_admin", "source_read_only"):
        refuse_left = [one.id for one in list_requests(kicks.context, "kicks")]
        assert refuse_left in ([other.id], [])
        if refuse_left:
            refuse_request(kicks.context, marcus, "kicks", other.id, "", kicks.now)
        with pytest.raises(Conflict, match="have that already"):
            ask(kicks, kim, RequestDraft(role, "Website", "why"))


def test_what_was_given_meanwhile_is_not_given_twice(kicks: World, marcus: str, kim: str, site: Resource) -> None:
    made = ask(kicks, kim)
    given = flow._given(_stored(kicks, made))
    give_to_member(kicks.context, marcus, "kicks", made.membership_id, given, kicks.now)
    grant_request(kicks.context, marcus, "kicks", made.id, kicks.now)
    assert [kind for _, kind, _ in audit_events(kicks.context)].count("grant.given") == 1


def _stored(kicks: World, made: AccessRequest) -> StoredRequest:
    with kicks.context.database.reading() as connection:
        return flow._get(connection, kicks.workspace, made.id)


def test_floods_are_bounded(kicks: World, kim: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(flow, "MOST_OPEN", 2)
    monkeypatch.setattr(flow, "MOST_A_DAY", 3)
    monkeypatch.setattr(flow, "MOST_MAILS", 1)
    drafts = [RequestDraft(role, "Website", "why") for role in ("identity_admin", "end_user_privacy_admin")]
    first, _ = [ask(kicks, kim, draft) for draft in drafts]
    with pytest.raises(Conflict, match="wait for an answer"):
        ask(kicks, kim)
    assert len(mails(kicks)) == 1
    withdraw(kicks.context, kim, "kicks", first.id, kicks.now)
    withdraw(kicks.context, kim, "kicks", ask(kicks, kim).id, kicks.now)
    with pytest.raises(TooManyTries) as slowed:
        ask(kicks, kim)
    assert 0 < slowed.value.retry_after <= 86401
    assert ask_for_access(kicks.context, kim, "kicks", WEBSITE, kicks.now + timedelta(days=1))


def test_a_request_goes_with_the_membership_and_does_not_come_back(kicks: World, marcus: str, kim: str) -> None:
    made = ask(kicks, kim)
    remove_member(kicks.context, marcus, "kicks", made.membership_id, kicks.now)
    assert list_requests(kicks.context, "kicks") == ()
    assert count_all(kicks.context, "kicks").requests == 0
    with pytest.raises(NotFound):
        grant_request(kicks.context, marcus, "kicks", made.id, kicks.now)
    with pytest.raises(Forbidden):
        ask(kicks, kim)
    mails(kicks)
    invite(kicks.context, marcus, "kicks", InviteDraft((KIM,)), kicks.now)
    accept_as(kicks.context, link_of(kicks.context, kicks.now), kim.removeprefix("user:"), kicks.now)
    assert list_requests(kicks.context, "kicks") == ()


def test_a_suspended_members_request_waits_with_them(kicks: World, marcus: str, kim: str) -> None:
    made = ask(kicks, kim)
    kicks.push(KIM, active=False)
    assert list_requests(kicks.context, "kicks") == ()
    with pytest.raises(NotFound):
        grant_request(kicks.context, marcus, "kicks", made.id, kicks.now)
    assert count_all(kicks.context, "kicks").requests == 0


def test_a_request_goes_with_its_resource(kicks: World, marcus: str, kim: str, site: Resource) -> None:
    ask(kicks, kim)
    delete_resource(kicks.context, marcus, "kicks", site.ref, kicks.now)
    assert list_requests(kicks.context, "kicks") == ()


def test_only_owners_answer_and_only_who_asked_takes_back(kicks: World, marcus: str, kim: str) -> None:
    made = ask(kicks, kim)
    with pytest.raises(Forbidden):
        grant_request(kicks.context, kim, "kicks", made.id, kicks.now)
    with pytest.raises(Forbidden):
        refuse_request(kicks.context, kim, "kicks", made.id, "", kicks.now)
    with pytest.raises(NotFound):
        withdraw(kicks.context, marcus, "kicks", made.id, kicks.now)
    assert list_requests(kicks.context, "kicks") == (made,)
    assert "source_admin" not in {role for role, _ in has(kicks)}


@pytest.mark.parametrize("who", ["a stranger", "the operator"])
def test_only_members_ask(kicks: World, kim: str, who: str) -> None:
    account(kicks, "x@other.example")
    actor = OPERATOR if who == "the operator" else actor_of(kicks, "x@other.example")
    with pytest.raises(Forbidden):
        ask(kicks, actor)


def test_what_the_plan_has_not_is_neither_asked_nor_granted(kicks: World, marcus: str, kim: str) -> None:
    made = ask(kicks, kim, RequestDraft("source_read_only", "Website", "why"))
    set_plan(kicks.context, OPERATOR, "kicks", "team", kicks.now)
    with pytest.raises(NotInPlan):
        ask(kicks, kim, RequestDraft("identity_admin", "", "why"))
    with pytest.raises(NotInPlan):
        grant_request(kicks.context, marcus, "kicks", made.id, kicks.now)
    assert list_requests(kicks.context, "kicks") == (made,)


def test_two_owners_who_answer_at_once_are_one(kicks: World, marcus: str, kim: str) -> None:
    made, gate = ask(kicks, kim), Barrier(2)
    mails(kicks)

    def answer(grants: bool) -> bool:
        gate.wait()
        try:
            if grants:
                grant_request(kicks.context, marcus, "kicks", made.id, kicks.now)
            else:
                refuse_request(kicks.context, marcus, "kicks", made.id, "", kicks.now)
        except (NotFound, Conflict):
            return False
        return True

    with ThreadPoolExecutor(2) as pool:
        done = list(pool.map(answer, (True, False)))
    assert sorted(done) == [False, True]
    assert len(mails(kicks)) == 1


def test_what_is_asked_is_what_the_grant_says(kicks: World, kim: str, site: Resource) -> None:
    made = ask(kicks, kim)
    given = flow._given(_stored(kicks, made))
    assert given.role is get_role("source_admin")
    assert given.scope.resources == frozenset((site.ref,))
    assert given != RoleInScope(given.role, EVERYWHERE)
    assert find_member_id(kicks.context, "kicks", KIM) == made.membership_id
