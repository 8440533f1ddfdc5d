"""Product.md 5.3: who gains and who loses, told before; done for real, it is just that."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import update

from bridge.domain import moved_bits
from bridge.domain.access import EVERYWHERE, ResourceRef, RoleInScope, Scope, dominates, fits
from bridge.domain.directory import DirectoryGroup, MembersAdded
from bridge.domain.errors import Conflict, DomainError, Invalid, LastOwner, NotFound, NotInPlan, Stale
from bridge.domain.group_mapping import GroupMatch
from bridge.domain.labels import parse_label
from bridge.domain.previews import (
    AddRule,
    ChangeRule,
    DeleteConnection,
    DeleteIdpGroup,
    DeleteResource,
    DeleteRule,
    DeleteUserGroup,
    EndGrant,
    LinkGroup,
    MappingDraft,
    Moved,
    MovedPeople,
    MoveGrant,
    Preview,
    Proposal,
    RemoveMember,
    RequireSso,
    SetLabels,
    SetPlan,
    SwitchConnection,
    SwitchRule,
    TakeOut,
    UnlinkGroup,
    parse_seen,
    shown_until,
)
from bridge.flows.administer import set_plan
from bridge.flows.context import OPERATOR
from bridge.flows.explain import access_of
from bridge.flows.give_roles import change_scope, end_grant, give_to_member, give_to_user_group
from bridge.flows.map_groups import add_mapping, change_mapping, link_group, remove_mapping, set_enabled
from bridge.flows.members import find_member_id, remove_member
from bridge.flows.own_connections import delete_connection
from bridge.flows.own_connections import set_enabled as switch_connection
from bridge.flows.preview import check_seen, list_moved, preview
from bridge.flows.provision_groups import change_group, delete_group
from bridge.flows.resources import ResourceDraft, add_resource, delete_resource, list_resources, set_labels
from bridge.flows.roles_given import parse_role_in_scope
from bridge.flows.tie_groups import unlink_group
from bridge.flows.user_groups import (
    add_members,
    create_user_group,
    delete_user_group,
    get_user_group,
    remove_members,
)
from bridge.storage import moves, moves_by_person, people
from bridge.storage.changes import changing
from bridge.storage.ends import next_end
from bridge.storage.required_sso import set_required
from bridge.storage.tables import grants
from tests.flows.audit import audit_events
from tests.flows.logins import sign_in
from tests.overheard import statements
from tests.world import World, another_connection

PROD, DEV = parse_label("environment:prod"), parse_label("environment:dev")
ORDERS, CARTS = ResourceRef("source", "orders"), ResourceRef("source", "carts")


@dataclass(frozen=True)
class Company:
    """A workspace with two IdPs, where most is given by more than one path."""

    world: World
    entra: World
    eng: DirectoryGroup
    ops: DirectoryGroup
    rules: dict[str, str]
    guild: str

    def asked(self, proposal: Proposal, **how: Any) -> Preview:
        return preview(self.world.context, "kicks", proposal, self.world.now, **how)

    def held(self) -> dict[str, set[RoleInScope]]:
        """What everybody has, by the paths that access itself finds."""
        every = {}
        for name in _EVERYBODY:
            found = access_of(self.world.context, "kicks", f"{name}@kicks.example", self.world.now)
            every[f"{name}@kicks.example"] = {RoleInScope(one.role, one.scope) for one in found}
        return every


_EVERYBODY = ("marcus", "ann", "bob", "cyd", "dan", "eve", "fay", "gil", "hal")


def role(name: str, *on: str) -> RoleInScope:
    return parse_role_in_scope(name, on)


def draft(world: World, kind: Any, value: str, *roles: RoleInScope, user_groups: tuple[str, ...] = ()) -> MappingDraft:
    return MappingDraft(world.connection.id, GroupMatch(kind, value), user_groups, roles)


@pytest.fixture
def company(kicks: World, now: datetime) -> Company:
    """Ann, Bob, Dan (suspended) and Eve are in eng; Bob, Cyd and Hal in ops; Fay and Gil come by login to Entra, which
    pushes Gil, too.
    """
    context, entra = kicks.context, another_connection(kicks, "Entra")
    for ref, label in ((ORDERS, PROD), (CARTS, DEV)):
        add_resource(context, OPERATOR, "kicks", ResourceDraft(ref.type, ref.id, ref.id, frozenset({label})), now)
    ann, bob, cyd, eve, hal = (kicks.push(f"{name}@kicks.example") for name in ("ann", "bob", "cyd", "eve", "hal"))
    dan = kicks.push("dan@kicks.example", active=False)
    eng, ops = kicks.push_group("eng", ann, bob, dan, eve), kicks.push_group("ops", bob, cyd, hal)
    gil = entra.push("gil@kicks.example")
    entra.push_group("data", gil)
    sign_in(entra, "gil@kicks.example", groups=("data",))
    sign_in(entra, "fay@kicks.example", groups=("data", "night"))
    guild = create_user_group(context, OPERATOR, "kicks", "Guild", now, emails=["cyd@kicks.example"]).id
    give_to_user_group(context, OPERATOR, "kicks", guild, role("Source Admin", "label:environment:prod"), now)
    give_to_user_group(context, OPERATOR, "kicks", guild, role("Warehouse Admin"), now)
    member = people.find_member
    with context.database.reading() as rows:
        user = people.find_user_by_email(rows, "eve@kicks.example")
        assert user is not None
        membership = member(rows, kicks.workspace.key, user.key)
        assert membership is not None
    give_to_member(context, OPERATOR, "kicks", membership.id, role("Source Read-only"), now)
    give_to_member(context, OPERATOR, "kicks", membership.id, role("Source Admin", "source:orders"), now)
    # A role that its Admin, which a plan moves with it, doesn't stand for: she has that one alone, herself.
    give_to_member(context, OPERATOR, "kicks", membership.id, role("Function Read-only"), now)
    rules = {
        "eng": draft(
            kicks, "name", "eng", role("Source Admin", "source:orders", "source:carts"), user_groups=("Guild",)
        ),
        "any": draft(kicks, "glob", "*", role("Source Read-only", "label:environment:prod")),
        "data": draft(entra, "name", "data", role("Source Admin", "label:environment:prod"), role("Entities Admin")),
        "boss": draft(kicks, "external_id", "boss-1", role("Workspace Owner")),
    }
    made = {name: add_mapping(context, OPERATOR, "kicks", one, now).id for name, one in rules.items()}
    kicks.push_group("bosses", bob, external_id="boss-1")
    return Company(kicks, entra, eng, ops, made, guild)


def guild_grant(at: Company) -> str:
    """Source Admin on what is labelled environment:prod, of the Guild."""
    grants = get_user_group(at.world.context, "kicks", at.guild, at.world.now).grants
    return next(one.id for one in grants if one.given == role("Source Admin", "label:environment:prod"))


def given_twice(at: Company) -> Proposal:
    """Source Admin of the Guild would apply where it is given to it already."""
    grant = guild_grant(at)
    give_to_user_group(at.world.context, OPERATOR, "kicks", at.guild, role("Source Admin"), at.world.now)
    return MoveGrant(grant, EVERYWHERE)


def member_of(at: Company, email: str) -> str:
    return find_member_id(at.world.context, "kicks", email)


def told(side: MovedPeople) -> dict[str, set[RoleInScope]]:
    return {one.email: set(one.roles) for one in side.people}


def only(more: Iterable[RoleInScope], less: Iterable[RoleInScope]) -> set[RoleInScope]:
    """The strongest of what `less` has nothing as good as."""
    found = {one for one in more if not any(dominates(other, one) for other in less)}
    return {one for one in found if not any(dominates(other, one) for other in found - {one})}


def moved(one: dict[str, set[RoleInScope]], other: dict[str, set[RoleInScope]]) -> dict[str, set[RoleInScope]]:
    return {email: left for email, held in one.items() if (left := only(held, other[email]))}


Kind = tuple[Callable[[Company], Proposal], Callable[[Company], object]]


def _do(flow: Callable[..., object], *names: Any) -> Callable[[Company], object]:
    return lambda at: flow(at.world.context, OPERATOR, "kicks", *(n(at) if callable(n) else n for n in names))


def _now(at: Company) -> datetime:
    return at.world.now


_KINDS: dict[str, Kind] = {
    "a rule for one group": (
        lambda at: AddRule(draft(at.world, "name", "OPS", role("Source Admin"))),
        _do(add_mapping, lambda at: draft(at.world, "name", "OPS", role("Source Admin")), _now),
    ),
    "a rule for all groups, with a User Group": (
        lambda at: AddRule(draft(at.entra, "glob", "*", role("Source Read-only"), user_groups=("guild",))),
        _do(
            add_mapping,
            lambda at: draft(at.entra, "glob", "*", role("Source Read-only"), user_groups=("guild",)),
            _now,
        ),
    ),
    "owners by rule": (
        lambda at: AddRule(draft(at.world, "id", at.eng.id, role("Workspace Owner"))),
        _do(add_mapping, lambda at: draft(at.world, "id", at.eng.id, role("Workspace Owner")), _now),
    ),
    "a rule takes other groups": (
        lambda at: ChangeRule(at.rules["eng"], draft(at.world, "name", "ops", role("Source Admin", "source:orders"))),
        _do(
            change_mapping,
            lambda at: at.rules["eng"],
            lambda at: draft(at.world, "name", "ops", role("Source Admin", "source:orders")),
            _now,
        ),
    ),
    "a rule gives more and less": (
        lambda at: ChangeRule(at.rules["eng"], draft(at.world, "glob", "e*", role("Source Admin"))),
        _do(
            change_mapping,
            lambda at: at.rules["eng"],
            lambda at: draft(at.world, "glob", "e*", role("Source Admin")),
            _now,
        ),
    ),
    "a rule off": (
        lambda at: SwitchRule(at.rules["data"], False),
        _do(set_enabled, lambda at: at.rules["data"], False, _now),
    ),
    "a rule gone": (lambda at: DeleteRule(at.rules["eng"]), _do(remove_mapping, lambda at: at.rules["eng"], _now)),
    "owners' rule gone": (
        lambda at: DeleteRule(at.rules["boss"]),
        _do(remove_mapping, lambda at: at.rules["boss"], _now),
    ),
    "a group linked": (
        lambda at: LinkGroup(at.world.connection.id, at.ops.id, "Guild"),
        _do(link_group, lambda at: at.world.connection.id, lambda at: at.ops.id, "Guild", _now),
    ),
    "an IdP group gone": (
        lambda at: DeleteIdpGroup(at.world.connection.id, at.eng.id),
        lambda at: delete_group(at.world.context, at.world.connection, at.eng.id, at.world.now),
    ),
    "a User Group gone": (
        lambda at: DeleteUserGroup(at.guild),
        _do(delete_user_group, lambda at: at.guild, _now),
    ),
    "a connection off": (
        lambda at: SwitchConnection(at.world.connection.id, False),
        _do(switch_connection, lambda at: at.world.connection.id, False, _now),
    ),
    "a connection gone": (
        lambda at: DeleteConnection(at.entra.connection.id),
        _do(delete_connection, lambda at: at.entra.connection.id, _now),
    ),
    "another plan": (lambda at: SetPlan("team"), _do(set_plan, "team", _now)),
}


@pytest.mark.parametrize("kind", _KINDS.values(), ids=_KINDS.keys())
def test_what_is_previewed_is_what_comes(company: Company, kind: Kind) -> None:
    proposal, do = kind
    before, seen = company.held(), company.asked(proposal(company))
    do(company)
    after = company.held()
    assert (told(seen.gains), told(seen.loses)) == (moved(after, before), moved(before, after))
    assert (seen.gains.count, seen.loses.count) == (len(seen.gains.people), len(seen.loses.people))
    assert seen.gains.count + seen.loses.count


_BACK: dict[str, tuple[Callable[[Company], object], Callable[[Company], Proposal], Callable[[Company], object]]] = {
    "a rule": (
        _do(set_enabled, lambda at: at.rules["eng"], False, _now),
        lambda at: SwitchRule(at.rules["eng"], True),
        _do(set_enabled, lambda at: at.rules["eng"], True, _now),
    ),
    "a connection": (
        _do(switch_connection, lambda at: at.world.connection.id, False, _now),
        lambda at: SwitchConnection(at.world.connection.id, True),
        _do(switch_connection, lambda at: at.world.connection.id, True, _now),
    ),
    "the plan": (_do(set_plan, "free", _now), lambda _: SetPlan("business"), _do(set_plan, "business", _now)),
    "a link": (
        _do(link_group, lambda at: at.world.connection.id, lambda at: at.ops.id, "Guild", _now),
        lambda at: UnlinkGroup(at.world.connection.id, at.ops.id),
        _do(unlink_group, lambda at: at.world.connection.id, lambda at: at.ops.id, _now),
    ),
}


@pytest.mark.parametrize("way", _BACK.values(), ids=_BACK.keys())
def test_what_was_switched_comes_back_as_previewed(company: Company, way: Any) -> None:
    first, proposal, do = way
    first(company)
    before, seen = company.held(), company.asked(proposal(company))
    do(company)
    after = company.held()
    assert (told(seen.gains), told(seen.loses)) == (moved(after, before), moved(before, after))
    assert seen.gains.count + seen.loses.count


def test_a_pushed_group_that_goes_lets_the_asserted_one_count(company: Company, now: datetime) -> None:
    """For whom the connection pushes, the pushed group of that name decided; afterwards the named one does."""
    at = company.entra
    out = at.push_group("night")  # Gil says he is in it, and Entra, that nobody is
    sign_in(at, "gil@kicks.example", groups=("data", "night"))
    add_mapping(at.context, OPERATOR, "kicks", draft(at, "name", "night", role("Function Admin")), now)
    before, seen = company.held(), company.asked(DeleteIdpGroup(at.connection.id, out.id))
    assert told(seen.gains) == {"gil@kicks.example": {role("Function Admin")}}
    delete_group(at.context, at.connection, out.id, now)
    assert moved(company.held(), before) == told(seen.gains)


def test_a_rule_that_is_off_gives_nothing_by_a_change_of_it(company: Company, now: datetime) -> None:
    rule, changed = company.rules["data"], draft(company.entra, "name", "data", role("Function Admin"))
    set_enabled(company.world.context, OPERATOR, "kicks", rule, False, now)
    seen = company.asked(ChangeRule(rule, changed))
    assert (seen.gains.count, seen.loses.count) == (0, 0)


def reach(company: Company, resource: ResourceRef) -> dict[str, set[RoleInScope]]:
    """By which roles everybody reaches one resource."""
    alone = Scope("list", resources=frozenset({resource}))
    found = [one.labels for one in list_resources(company.world.context, "kicks") if one.ref == resource]
    return {
        email: {
            RoleInScope(one.role, alone)
            for one in held
            for labels in found
            if resource.type in one.role.gives and fits(one.scope, resource, labels)
        }
        for email, held in company.held().items()
    }


@pytest.mark.parametrize(
    ("proposal", "do"),
    [
        pytest.param(
            SetLabels(ORDERS, frozenset({DEV})),
            _do(set_labels, ORDERS, frozenset({DEV}), _now),
            id="relabelled away",
        ),
        pytest.param(
            SetLabels(CARTS, frozenset({PROD})), _do(set_labels, CARTS, frozenset({PROD}), _now), id="relabelled into"
        ),
        pytest.param(DeleteResource(ORDERS), _do(delete_resource, ORDERS, _now), id="deleted"),
    ],
)
def test_who_reaches_a_resource_by_its_labels_is_previewed(
    company: Company, proposal: SetLabels | DeleteResource, do: Callable[[Company], object]
) -> None:
    before, seen = reach(company, proposal.resource), company.asked(proposal)
    do(company)
    after = reach(company, proposal.resource)
    assert (told(seen.gains), told(seen.loses)) == (moved(after, before), moved(before, after))
    assert seen.gains.count + seen.loses.count


# -- What it says beside -----------------------------------------------------------------------------


def test_whom_another_path_gives_as_much_is_counted_apart(company: Company) -> None:
    """Of eng Ann gains; Bob owns the workspace, Eve has it herself, and Dan, suspended, has nothing to gain."""
    seen = company.asked(AddRule(draft(company.world, "name", "eng", role("Source Read-only", "source:orders"))))
    assert (seen.gains.count, seen.covered) == (0, 3)
    seen = company.asked(AddRule(draft(company.world, "name", "eng", role("Function Admin"))))
    assert (list(told(seen.gains)), seen.covered) == (["ann@kicks.example", "eve@kicks.example"], 1)


def test_it_says_how_many_are_signed_in_and_how_many_gain_what(company: Company) -> None:
    sign_in(company.world, "ann@kicks.example")
    gives = (role("Function Admin"), role("Identity Admin"))
    seen = company.asked(AddRule(draft(company.world, "name", "eng", *gives)))
    assert (seen.gains.count, seen.gains.signed_in) == (2, 1)
    assert dict(seen.gains.roles) == dict.fromkeys(gives, 2)
    assert [(one.name, one.signed_in) for one in seen.gains.people] == [
        ("ann@kicks.example", True),
        ("eve@kicks.example", False),
    ]


def test_a_rule_that_takes_groups_made_later_says_so(company: Company) -> None:
    for kind, value, groups, later in (
        ("glob", "e*", 1, True),
        ("name", "eng", 1, True),
        ("name", "nobody", 0, True),
        ("external_id", "boss-1", 1, True),
        ("id", company.eng.id, 1, False),
    ):
        seen = company.asked(AddRule(draft(company.world, kind, value, role("Function Admin"))))
        assert (seen.groups, seen.later) == (groups, later), kind
    switched = [company.asked(SwitchRule(company.rules["eng"], on)).later for on in (True, False)]
    assert switched == [True, False], "a rule that is off takes none"
    assert company.asked(DeleteUserGroup(company.guild)).groups is None


@pytest.mark.parametrize("few", [0, 3_000], ids=["many", "few"])
def test_people_are_listed_page_by_page_in_order_of_address(
    company: Company, few: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(moves, "_FEW", few)
    proposal = SwitchConnection(company.world.connection.id, False)
    whole = company.asked(proposal).loses
    first = company.asked(proposal, most=1).loses
    assert (first.count, len(first.people)) == (whole.count, 1)
    found, more = list(first.people), first.more
    while more is not None:
        page = list_moved(company.world.context, "kicks", proposal, "loses", company.world.now, after=more, most=1)
        found, more = [*found, *page.people], page.more
    assert tuple(found) == whole.people
    assert [one.email for one in found] == sorted(one.email for one in found)
    assert len(found) > 2


def test_people_are_counted_and_listed_alike_at_once_and_person_by_person(
    company: Company, monkeypatch: pytest.MonkeyPatch
) -> None:
    """By the tables or by what reaches each person, two at a time: the same preview to the digest."""
    sign_in(company.world, "ann@kicks.example")
    for name, (proposal, _) in _KINDS.items():
        at_once = company.asked(proposal(company))
        monkeypatch.setattr(moves, "_FEW", 0)
        monkeypatch.setattr(moves, "_FEW_QUESTIONS", {"sqlite": 0, "postgresql": 0})
        monkeypatch.setattr(moves_by_person, "_AT_ONCE", 2)
        monkeypatch.setattr(moves_by_person, "_AT_FIRST", 1)
        monkeypatch.setattr(moved_bits, "_AT_ONCE", 2)
        assert company.asked(proposal(company)) == at_once, name
        monkeypatch.undo()


def test_a_grant_that_has_run_out_covers_nobody(company: Company, now: datetime) -> None:
    proposal = AddRule(draft(company.world, "name", "eng", role("Source Read-only", "source:orders")))
    with changing(company.world.context.database, OPERATOR, now) as change:
        change.connection.execute(update(grants).values(expires_at=now + timedelta(days=1)))
    seen = preview(company.world.context, "kicks", proposal, now + timedelta(days=2))
    assert [one.email for one in seen.gains.people] == [f"{name}@kicks.example" for name in ("ann", "bob", "eve")]


def test_a_role_of_a_rule_that_has_run_out_is_given_anew_by_who_saves_the_rule(company: Company, now: datetime) -> None:
    rule, same = company.rules["data"], draft(company.entra, "name", "data", role("Entities Admin"))
    change_mapping(company.world.context, OPERATOR, "kicks", rule, same, now)
    with changing(company.world.context.database, OPERATOR, now) as change:
        change.connection.execute(update(grants).where(grants.c.role == "entities_admin").values(expires_at=now))
    before, seen = company.held(), company.asked(ChangeRule(rule, same))
    assert set(told(seen.gains)) == {"fay@kicks.example", "gil@kicks.example"}
    change_mapping(company.world.context, OPERATOR, "kicks", rule, same, now)
    assert moved(company.held(), before) == told(seen.gains)
    assert [one for _, one, _ in audit_events(company.world.context)][-2:] == ["mapping.changed"] * 2


def test_a_preview_writes_nothing(company: Company) -> None:
    before = audit_events(company.world.context)
    for proposal, _ in _KINDS.values():
        revision = company.asked(proposal(company)).revision
    assert audit_events(company.world.context) == before
    assert company.asked(DeleteUserGroup(company.guild)).revision == revision


@pytest.mark.parametrize(
    ("proposal", "error"),
    [
        (lambda at: AddRule(draft(at.world, "glob", "*", role("Workspace Owner"))), Invalid),
        (lambda at: AddRule(draft(at.world, "name", "eng")), Invalid),
        (lambda at: AddRule(draft(at.world, "name", "eng", user_groups=("No Such",))), NotFound),
        (lambda at: AddRule(draft(at.world, "name", "eng", role("Source Admin", "source:none"))), NotFound),
        (lambda at: ChangeRule(at.rules["data"], draft(at.world, "name", "eng", role("Source Admin"))), Invalid),
        (lambda _: DeleteRule("no such"), NotFound),
        (lambda at: UnlinkGroup(at.world.connection.id, at.eng.id), Conflict),
        (lambda at: LinkGroup(at.world.connection.id, "no such", "Guild"), NotFound),
        (lambda _: DeleteUserGroup("no such"), NotFound),
        (lambda at: TakeOut(at.guild, ("cyd@kicks.example", "ann@kicks.example")), NotFound),
        (lambda at: TakeOut(at.guild, ("nobody@kicks.example",)), NotFound),
        (lambda _: EndGrant("no such"), NotFound),
        (given_twice, Conflict),
        (lambda at: MoveGrant(guild_grant(at), role("Source Admin", "source:none").scope), NotFound),
        (lambda at: RemoveMember(member_of(at, "marcus@kicks.example")), LastOwner),
        (lambda _: SwitchConnection("no such", False), NotFound),
        (lambda _: SetLabels(ORDERS, frozenset({PROD, DEV})), Invalid),
        (lambda _: DeleteResource(ResourceRef("source", "none")), NotFound),
        (lambda _: SetPlan("gold"), Invalid),
    ],
    ids=lambda value: value.__name__ if isinstance(value, type) else "",
)
def test_what_would_be_refused_is_refused_in_its_preview(
    company: Company, proposal: Callable[[Company], Proposal], error: type[DomainError]
) -> None:
    with pytest.raises(error):
        company.asked(proposal(company))


# -- Require SSO -------------------------------------------------------------------------------------


def test_whom_sso_does_not_let_in_could_no_longer_get_in(company: Company, now: datetime) -> None:
    """Ann, Fay and Gil came by it. Nobody else came by Okta until Ann did: then it lets in all whom it pushes."""
    assert [one.email for one in company.asked(RequireSso()).loses.people] == [
        f"{name}@kicks.example" for name in ("ann", "bob", "cyd", "eve", "hal", "marcus")
    ]
    first = company.asked(RequireSso(), most=2).loses
    assert (first.count, first.more) == (6, "bob@kicks.example")
    rest = list_moved(company.world.context, "kicks", RequireSso(), "loses", now, after=first.more or "")
    assert [one.email for one in rest.people] == [f"{name}@kicks.example" for name in ("cyd", "eve", "hal", "marcus")]
    sign_in(company.world, "ann@kicks.example")
    seen = company.asked(RequireSso())
    assert [one.email for one in seen.loses.people] == ["marcus@kicks.example"]
    assert (seen.loses.count, seen.covered, seen.gains.count) == (1, 7, 0)


def test_require_sso_is_previewed_where_it_can_be_switched_on(company: Company, now: datetime) -> None:
    with changing(company.world.context.database, OPERATOR, now) as change:
        set_required(change, company.world.workspace, True)
    with pytest.raises(Conflict):
        company.asked(RequireSso())
    set_plan(company.world.context, OPERATOR, "kicks", "free", now)
    with pytest.raises(NotInPlan):
        company.asked(RequireSso())


# -- Saving what was seen ----------------------------------------------------------------------------


def test_who_saves_what_they_saw_saves_it(company: Company, now: datetime) -> None:
    rule = draft(company.world, "name", "ops", role("Function Admin"))
    seen = parse_seen(company.asked(AddRule(rule)).seen.render())
    made = add_mapping(company.world.context, OPERATOR, "kicks", rule, now, seen=seen)
    assert "People in the Okta group ops get Function Admin on all functions." in made.sentence


def test_what_was_seen_of_one_change_agrees_to_no_other(company: Company, now: datetime) -> None:
    at = company.world
    one, other = (draft(at, "name", name, role("Function Admin")) for name in ("ops", "nobody-is-in-this"))
    seen = company.asked(AddRule(other)).seen
    assert seen.revision == company.asked(AddRule(one)).revision
    with pytest.raises(Moved, match="Now 2 gain and 0 lose, 0 and 0 when you looked"):
        add_mapping(at.context, OPERATOR, "kicks", one, now, seen=seen)


def test_what_moved_elsewhere_is_in_nobodys_way(company: Company, now: datetime) -> None:
    """The revision is another one, what was previewed isn't."""
    rule = draft(company.world, "name", "ops", role("Function Admin"))
    seen = company.asked(AddRule(rule)).seen
    company.world.push_group("design", company.world.push("ida@kicks.example"))
    assert company.asked(AddRule(rule)).revision != seen.revision
    add_mapping(company.world.context, OPERATOR, "kicks", rule, now, seen=seen)


def _grants_of_guild(at: Company) -> tuple[Proposal, datetime]:
    """Cyd keeps Source Admin on prod by nothing but the Guild, from which it then runs out."""
    ends = at.world.now + timedelta(minutes=20)
    with changing(at.world.context.database, OPERATOR, at.world.now) as change:
        change.connection.execute(update(grants).where(grants.c.uid == guild_grant(at)).values(expires_at=ends))
    return DeleteUserGroup(at.guild), at.world.now


def _groups_of_a_sign_in(at: Company) -> tuple[Proposal, datetime]:
    return DeleteRule(at.rules["data"]), at.world.now + timedelta(days=7, minutes=-20)


@pytest.mark.parametrize("ending", [_grants_of_guild, _groups_of_a_sign_in], ids=["a grant", "groups of a sign-in"])
def test_what_time_alone_ended_meanwhile_is_counted_anew(company: Company, ending: Any) -> None:
    """No revision tells of it."""
    proposal, looked = ending(company)
    seen = preview(company.world.context, "kicks", proposal, looked).seen
    assert seen.until == int((looked + timedelta(minutes=20)).timestamp())
    with changing(company.world.context.database, OPERATOR, looked + timedelta(minutes=21)) as change:
        workspace = company.world.workspace
        assert preview(company.world.context, "kicks", proposal, change.now).revision == seen.revision
        with pytest.raises(Moved):
            check_seen(change, workspace, proposal, seen)


def test_what_ends_next_is_found_by_indexes(kicks: World) -> None:
    database = kicks.context.database
    with statements(database) as said, database.reading() as rows:
        assert next_end(rows, kicks.workspace.key, kicks.now) is None
    with database.snapshot() as rows:
        if database.is_sqlite:
            plan = [row.detail for row in rows.exec_driver_sql(f"EXPLAIN QUERY PLAN {said[-1].sql}", said[-1].values)]
        else:
            rows.exec_driver_sql("SET LOCAL enable_seqscan = off; SET LOCAL enable_bitmapscan = off")
            plan = list(rows.exec_driver_sql(f"EXPLAIN {said[-1].sql}", said[-1].values).scalars())
    assert [name for name in ("ix_grants_expiring", "ix_directory_users_asserted") if name not in str(plan)] == [], plan


def test_what_was_shown_long_ago_is_counted_anew(now: datetime) -> None:
    day, hour = timedelta(days=1), timedelta(hours=1)
    assert shown_until(now, None) == shown_until(now, now + day) == int((now + hour).timestamp())


def test_what_moved_is_told_with_names_and_saves_nothing(company: Company, now: datetime) -> None:
    at, rule = company.world, draft(company.world, "glob", "op*", role("Function Admin"))
    seen = company.asked(AddRule(rule)).seen
    at.push_group("operators", at.push("ida@kicks.example", name="Ida"), at.push("jon@kicks.example", name="Jon"))
    delete_group(at.context, at.connection, company.ops.id, now)
    before = audit_events(at.context)
    with pytest.raises(Moved, match="Now 2 gain and 0 lose: Ida and Jon gain by now; 2 people no longer gain") as told:
        add_mapping(at.context, OPERATOR, "kicks", rule, now, seen=seen)
    assert isinstance(told.value, Stale)
    assert (told.value.gains.new, told.value.gains.gone) == (("Ida", "Jon"), 2)
    assert [one.name for one in told.value.preview.gains.people] == ["Ida", "Jon"]
    assert audit_events(at.context) == before
    add_mapping(at.context, OPERATOR, "kicks", rule, now, seen=told.value.preview.seen)


def _moves(at: Company) -> None:
    """Whatever gives something gives it to one more: by the group, by hand, and at a login."""
    ida = at.world.push("ida@kicks.example", name="Ida")
    at.world.push_group("e-later", ida)
    change_group(at.world.context, at.world.connection, at.eng.id, [MembersAdded((ida.id,))], at.world.now)
    change_group(at.world.context, at.world.connection, at.ops.id, [MembersAdded((ida.id,))], at.world.now)
    add_members(at.world.context, OPERATOR, "kicks", at.guild, ["hal@kicks.example"], at.world.now)
    give_to_user_group(at.world.context, OPERATOR, "kicks", at.guild, role("Function Admin"), at.world.now)
    sign_in(at.entra, "kim@kicks.example", groups=("data",))


_SAVING: dict[str, tuple[Callable[[Company], Proposal], Callable[[Company], Callable[..., object]]]] = {
    "change": (
        lambda at: ChangeRule(at.rules["eng"], draft(at.world, "glob", "e*", role("Function Admin"))),
        lambda at: (
            lambda **seen: change_mapping(
                *_as_operator(at),
                at.rules["eng"],
                draft(at.world, "glob", "e*", role("Function Admin")),
                at.world.now,
                **seen,
            )
        ),
    ),
    "switch": (
        lambda at: SwitchRule(at.rules["data"], False),
        lambda at: lambda **seen: set_enabled(*_as_operator(at), at.rules["data"], False, at.world.now, **seen),
    ),
    "delete": (
        lambda at: DeleteRule(at.rules["eng"]),
        lambda at: lambda **seen: remove_mapping(*_as_operator(at), at.rules["eng"], at.world.now, **seen),
    ),
    "link": (
        lambda at: LinkGroup(at.world.connection.id, at.ops.id, "Guild"),
        lambda at: (
            lambda **seen: link_group(
                *_as_operator(at), at.world.connection.id, at.ops.id, "Guild", at.world.now, **seen
            )
        ),
    ),
    "user group": (
        lambda at: DeleteUserGroup(at.guild),
        lambda at: lambda **seen: delete_user_group(*_as_operator(at), at.guild, at.world.now, **seen),
    ),
    "member of a user group": (
        lambda at: TakeOut(at.guild, ("cyd@kicks.example",)),
        lambda at: (
            lambda **seen: remove_members(*_as_operator(at), at.guild, ["cyd@kicks.example"], at.world.now, **seen)
        ),
    ),
    "role of a user group": (
        lambda at: EndGrant(guild_grant(at)),
        lambda at: lambda **seen: end_grant(*_as_operator(at), guild_grant(at), at.world.now, **seen),
    ),
    "scope of a user group": (
        lambda at: MoveGrant(guild_grant(at), Scope("labels", labels=frozenset({DEV}))),
        lambda at: (
            lambda **seen: change_scope(
                *_as_operator(at), guild_grant(at), Scope("labels", labels=frozenset({DEV})), at.world.now, **seen
            )
        ),
    ),
    "member": (
        lambda at: RemoveMember(member_of(at, "hal@kicks.example")),
        lambda at: (
            lambda **seen: remove_member(*_as_operator(at), member_of(at, "hal@kicks.example"), at.world.now, **seen)
        ),
    ),
    "labels": (
        lambda _: SetLabels(ORDERS, frozenset({DEV})),
        lambda at: lambda **seen: set_labels(*_as_operator(at), ORDERS, frozenset({DEV}), at.world.now, **seen),
    ),
    "resource": (
        lambda _: DeleteResource(ORDERS),
        lambda at: lambda **seen: delete_resource(*_as_operator(at), ORDERS, at.world.now, **seen),
    ),
    "plan": (
        lambda _: SetPlan("team"),
        lambda at: lambda **seen: set_plan(*_as_operator(at), "team", at.world.now, **seen),
    ),
}


def _as_operator(at: Company) -> tuple[Any, str, str]:
    return (at.world.context, OPERATOR, "kicks")


@pytest.mark.parametrize("way", _SAVING.values(), ids=_SAVING.keys())
def test_every_change_is_compared_with_what_was_previewed(company: Company, way: Any) -> None:
    proposal, saving = way[0](company), way[1](company)
    seen = company.asked(proposal).seen
    _moves(company)
    before = company.held()
    with pytest.raises(Moved, match=r"Something changed while you were looking\. This is not saved yet\. Now "):
        saving(seen=seen)
    assert company.held() == before
    saving(seen=company.asked(proposal).seen)


@pytest.mark.parametrize(
    "text",
    ["", "{", "[]", '{"revision":"x"}', "null", "9" * 5_000, "[" * 5_000, '{"revision":1}'],
    ids=["nothing", "cut", "list", "words", "null", "number", "deep", "part"],
)
def test_what_comes_back_spoilt_is_refused(text: str) -> None:
    with pytest.raises(Invalid):
        parse_seen(text)
