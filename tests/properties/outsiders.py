"""A workspace to be left alone, and the hostile owner of another one, who is its IdP's admin too.

The outsider may do all that an owner and an IdP may: push, log people in, make rules, invite. They know every id,
name and address of the other workspace, which is more than they ever would.
"""

from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field, replace
from itertools import count

from bridge.domain.access import EVERYWHERE, RoleInScope
from bridge.domain.directory import (
    GroupExternalIdSet,
    GroupRenamed,
    MembersAdded,
    MembersRemoved,
    MembersReplaced,
    PushedEmail,
    PushedUser,
)
from bridge.domain.errors import DomainError
from bridge.domain.group_mapping import GroupMatch
from bridge.domain.roles import MINIMAL, OWNER, ROLES, get_role
from bridge.flows.context import OPERATOR
from bridge.flows.domains import add_domain
from bridge.flows.give_roles import end_grant, give_to_member, give_to_user_group
from bridge.flows.invite import InviteDraft, invite, list_invites, resend, revoke
from bridge.flows.map_groups import MappingDraft, add_mapping, link_group, remove_mapping
from bridge.flows.map_groups import set_enabled as set_mapping_enabled
from bridge.flows.members import find_member_id, lift_hold, remove_member, restore_member
from bridge.flows.own_connections import delete_connection, set_enabled
from bridge.flows.provision_groups import change_group, create_group, delete_group
from bridge.flows.provision_users import change_user, create_user, delete_user
from bridge.flows.resources import ResourceDraft, add_resource
from bridge.flows.sign_in import complete
from bridge.flows.tokens import create_api_token, create_scim_token, revoke_token
from bridge.flows.user_groups import add_members, create_user_group, delete_user_group
from tests.flows.logins import Browser, answer, fetch_result, prove_domain, set_config, sign_in, start
from tests.world import World, another_connection, make_world, pushed

ADMIN = RoleInScope(get_role("Source Admin"), EVERYWHERE)
#: Addresses of people of `acme`: in its proved domain, in nobody's, and of those who never proved theirs.
PEOPLE = ("olga@acme.example", "ann@acme.example", "ben@mail.example", "strauss@strasse.example", "eve@mail.example")
_serial = count(1)


@dataclass
class Acme:
    """`acme` with a bit of everything, and all that an outsider could name of it."""

    world: World
    names: tuple[str, ...] = ()
    request_id: str = ""
    browsers: dict[str, Browser] = field(default_factory=dict)


def furnish(world: World) -> Acme:
    """Fill `acme` with people, groups, rules, grants, tokens, invitations, and a login under way."""
    context, now, slug = world.context, world.now, "acme"
    prove_domain(world, "acme.example")
    entra = another_connection(world, "Entra")
    ann, ben, sam = (world.push(email, external_id=f"ext-{n}") for n, email in enumerate(PEOPLE[1:4]))
    entra.push("eve@mail.example", active=False)
    engineering = world.push_group("Engineering", ann, ben, external_id="g-1")
    rule = add_mapping(
        context, OPERATOR, slug, MappingDraft(world.connection.id, GroupMatch("name", "Engineering"), (), (ADMIN,)), now
    )
    guild = create_user_group(context, OPERATOR, slug, "Guild", now, emails=[PEOPLE[1]])
    grant = give_to_user_group(context, OPERATOR, slug, guild.id, ADMIN, now)
    olga = f"user:{world.owner.id}"
    invite(context, olga, slug, InviteDraft(("new@mail.example",), (ADMIN,)), now)
    token = create_scim_token(context, olga, slug, world.connection.id, None, "pushes", now)
    create_api_token(context, olga, slug, [ADMIN], None, "reads", now)
    browsers = {email: sign_in(world, email, groups=("staff",)) for email in PEOPLE[1:4]}
    waiting = Browser()
    request_id = start(world, waiting)
    ids = [find_member_id(context, slug, email) for email in PEOPLE]
    ids += [world.workspace.id, world.connection.id, entra.connection.id, world.owner.id, token.id, rule.id, guild.id]
    ids += [ann.id, ben.id, sam.id, engineering.id, grant.id, list_invites(context, slug)[0].id]
    return Acme(world, (*ids, "ext-0", "g-1", "Engineering", "Guild", "staff"), request_id, browsers)


@dataclass
class Outsider:
    """The hostile owner of a workspace of their own; nothing they do may matter to `acme`."""

    acme: Acme
    world: World
    browsers: list[Browser] = field(default_factory=list)
    users: list[str] = field(default_factory=list)
    groups: list[str] = field(default_factory=list)
    own: list[str] = field(default_factory=list)

    @property
    def actor(self) -> str:
        """They themselves."""
        return f"user:{self.world.owner.id}"

    def slug(self, n: int) -> str:
        """Mostly their own workspace, sometimes `acme`."""
        return self.world.workspace.slug if n % 3 else "acme"

    def person(self, uid: str, n: int) -> str:
        """Mostly the id of somebody they pushed, sometimes any."""
        return self.users[n % len(self.users)] if self.users and n % 4 else uid

    def do(self, step: Callable[["Outsider"], object]) -> None:
        """Try something; a refusal is fine."""
        with suppress(DomainError):
            step(self)

    def texts(self) -> list[str]:
        """Whatever could stand for somebody or something."""
        roles = [role.name for role in ROLES[:3]] + [role.id for role in ROLES[:3]]
        return [*self.addresses(), *roles, *self.acme.names, "acme", "nobody"]

    def addresses(self) -> list[str]:
        """Addresses of others, ones that look like them, and of their own domain."""
        looks = ["ANN@ACME.example", " ann@acme.example", "strauß@straße.example", "strauss@straße.example"]
        return [*PEOPLE, *looks, f"me@{self.world.workspace.slug}.example"]

    def ids(self) -> list[str]:
        """Ids, mostly of what they made themselves, and ids and names of others."""
        return [*(self.users + self.groups + self.own) * 3, *self.acme.names]


def arrive(acme: Acme) -> Outsider:
    """A new outsider, whose company proved its domain."""
    slug = f"mallory{next(_serial)}"
    me = f"mallory@{slug}.example"
    world = make_world(acme.world.context.database, acme.world.now, slug=slug, owner=me)
    prove_domain(world, f"{slug}.example")
    set_config(world, allow_idp_initiated=True)
    token = create_scim_token(world.context, OPERATOR, slug, world.connection.id, None, "mine", world.now)
    group = create_user_group(world.context, OPERATOR, slug, "Mine", world.now)
    second = another_connection(world, "Second")
    own = [world.connection.id, second.connection.id, token.id, group.id, find_member_id(world.context, slug, me)]
    return Outsider(acme, world, own=own)


# -- What they try: each takes the outsider and a text, an address, an id and a number that were drawn --------------


def person(user_name: str, email: str, external_id: str, active: bool) -> PushedUser:
    """A person as a hostile IdP describes them, each part as it likes."""
    said = pushed(user_name, active=active, external_id=external_id)
    document = {**said.document, "emails": [{"value": email, "primary": True}]}
    return replace(said, emails=(PushedEmail(email, None, True),), document=document)


def push(me: Outsider, said: str, email: str, uid: str, n: int) -> None:
    """Somebody, under names of others."""
    made = create_user(me.world.context, me.world.connection, person(said, email, uid, n % 3 > 0), me.world.now)
    me.users.append(made.id)


def edit(me: Outsider, said: str, email: str, uid: str, n: int) -> None:
    """Somebody pushed, or of `acme`, becomes somebody else."""
    wanted = person(said, email, said, n % 2 > 0)
    change_user(me.world.context, me.world.connection, me.person(uid, n), lambda _: wanted, me.world.now)


def delete(me: Outsider, said: str, email: str, uid: str, n: int) -> None:
    """Somebody pushed goes, or should somebody of `acme`."""
    delete_user(me.world.context, me.world.connection, me.person(uid, n), me.world.now)


def push_a_group(me: Outsider, said: str, email: str, uid: str, n: int) -> None:
    """A group with a name and members of others."""
    members = me.users[:n] if n % 2 else [uid]
    me.groups.append(create_group(me.world.context, me.world.connection, said, uid, members, me.world.now).id)


def change_a_group(me: Outsider, said: str, email: str, uid: str, n: int) -> None:
    """A group, perhaps of `acme`, is changed."""
    steps = (
        GroupRenamed(said),
        GroupExternalIdSet(uid),
        MembersAdded((uid,)),
        MembersRemoved((uid, said)),
        MembersReplaced((*me.users, *me.acme.names[: n % 2])),
    )
    target = me.groups[n % len(me.groups)] if me.groups and n % 4 else uid
    change_group(me.world.context, me.world.connection, target, [steps[n % 5]], me.world.now)


def delete_a_group(me: Outsider, said: str, email: str, uid: str, n: int) -> None:
    """A group goes, or should one of `acme`."""
    delete_group(me.world.context, me.world.connection, uid, me.world.now)


def log_in(me: Outsider, said: str, email: str, uid: str, n: int) -> None:
    """Their IdP says that somebody is somebody else; half of the time unasked."""
    browser, context, now = Browser(), me.world.context, me.world.now
    asked, by = (start(me.world, browser), None) if n % 2 else (None, browser.keep("/"))
    told = answer(me.world, email, to=asked, by=by, subject=said, groups=(uid, "Engineering"))
    signed_in = fetch_result(context, complete(context, "saml", told, now), browser, now)
    browser.session = getattr(signed_in, "cookie", None)
    me.browsers.append(browser)


def answer_for_others(me: Outsider, said: str, email: str, uid: str, n: int) -> None:
    """Their IdP answers the request that `acme` sent to its own."""
    told = answer(me.world, email, to=me.acme.request_id, subject=said, groups=(uid,))
    complete(me.world.context, "saml", told, me.world.now)


def invite_people(me: Outsider, said: str, email: str, uid: str, n: int) -> None:
    """Invite anybody, promising anything."""
    gives = (RoleInScope((OWNER, MINIMAL)[n % 2], EVERYWHERE),)
    invite(me.world.context, me.actor, me.slug(n), InviteDraft((email,), gives, (uid,) * (n % 2)), me.world.now)


def act_on_members(me: Outsider, said: str, email: str, uid: str, n: int) -> None:
    """Remove, restore, let in, promote: their own people, by any address, and people by ids of others."""
    context, now, slug = me.world.context, me.world.now, me.slug(n)
    who = find_member_id(context, me.world.workspace.slug, email) if n % 2 else uid
    steps: tuple[Callable[[], object], ...] = (
        lambda: remove_member(context, me.actor, slug, who, now),
        lambda: restore_member(context, me.actor, slug, who, now),
        lambda: lift_hold(context, me.actor, slug, who, now),
        lambda: give_to_member(context, me.actor, slug, who, ADMIN, now),
        lambda: end_grant(context, me.actor, slug, who, now),
        lambda: revoke(context, me.actor, slug, who, now),
        lambda: resend(context, me.actor, slug, who, now),
    )
    steps[n % len(steps)]()


def act_on_connections(me: Outsider, said: str, email: str, uid: str, n: int) -> None:
    """Switch, delete, link, claim: by ids of others."""
    context, now, slug = me.world.context, me.world.now, me.slug(n)
    steps: tuple[Callable[[], object], ...] = (
        lambda: set_enabled(context, me.actor, slug, uid, n % 2 > 0, now),
        lambda: delete_connection(context, me.actor, slug, uid, now),
        lambda: create_scim_token(context, me.actor, slug, uid, None, "mine", now),
        lambda: revoke_token(context, me.actor, slug, uid, now),
        lambda: add_domain(context, me.actor, slug, "acme.example", uid, now),
        lambda: link_group(context, me.actor, slug, me.world.connection.id, uid, "Mine", now),
        lambda: create_api_token(context, me.actor, slug, [ADMIN], None, "mine", now),
    )
    steps[n % len(steps)]()


def act_on_groups(me: Outsider, said: str, email: str, uid: str, n: int) -> None:
    """Rules and User Groups over names and ids of others."""
    context, now, slug = me.world.context, me.world.now, me.slug(n)
    match = (GroupMatch("id", uid), GroupMatch("external_id", uid), GroupMatch("name", said), GroupMatch("glob", "*"))
    through = me.world.connection.id if n % 5 else uid
    given = ADMIN if n % 4 == 3 else RoleInScope(OWNER, EVERYWHERE)
    steps: tuple[Callable[[], object], ...] = (
        lambda: add_mapping(context, me.actor, slug, MappingDraft(through, match[n % 4], (), (given,)), now),
        lambda: remove_mapping(context, me.actor, slug, uid, now),
        lambda: set_mapping_enabled(context, me.actor, slug, uid, False, now),
        lambda: create_user_group(context, me.actor, slug, said, now, emails=[email]),
        lambda: delete_user_group(context, me.actor, slug, uid, now),
        lambda: add_members(context, me.actor, slug, uid, [email], now),
        lambda: give_to_user_group(context, me.actor, slug, uid, ADMIN, now),
        lambda: add_resource(context, me.actor, slug, ResourceDraft("source", said, uid), now),
    )
    steps[n % len(steps)]()


#: Twice, what everything else builds on.
TRICKS: tuple[Callable[..., None], ...] = (
    *(push, push, log_in, log_in, push_a_group, push_a_group),
    *(edit, delete, change_a_group, delete_a_group, answer_for_others),
    *(invite_people, act_on_members, act_on_connections, act_on_groups),
)
