"""The demo's workspace, made from config/demo by the very flows that operators and owners use.

Seeding is a list of steps; which are done is written down after each, so that a start that was broken off goes on
where it was. It may have been broken off inside a step, so each step leaves what it finds there already. What an owner
does, Marcus does.
"""

import json
import sys
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from itertools import chain, groupby
from operator import itemgetter
from pathlib import Path
from typing import Any

import click
import requests

from bridge.cli.demo_crew import DemoFailed
from bridge.cli.demo_idp import Idp
from bridge.domain.access import ResourceRef, RoleInScope
from bridge.domain.errors import Conflict, NotFound
from bridge.domain.group_mapping import GroupMatch, parse_match
from bridge.domain.labels import parse_label
from bridge.domain.members import GivenGrant, UserGroup
from bridge.domain.slugs import make_slug
from bridge.flows import (
    connect,
    domains,
    give_roles,
    map_groups,
    own_connections,
    saml_connection,
    tokens,
    trusted_idp,
    user_groups,
)
from bridge.flows.access_requests import RequestDraft, ask_for_access, list_requests
from bridge.flows.administer import WorkspaceDraft, create_workspace, list_workspaces
from bridge.flows.connect import SamlDraft
from bridge.flows.context import OPERATOR, Context
from bridge.flows.invite import InviteDraft, invite, list_invites
from bridge.flows.map_groups import MappingDraft
from bridge.flows.members import find_member_id, get_person
from bridge.flows.provision_groups import search_groups
from bridge.flows.resources import ResourceDraft, add_resource, list_resources
from bridge.flows.roles_given import parse_role_in_scope

_DAY = timedelta(days=1)


@dataclass(frozen=True, slots=True)
class Story:
    """What config/demo says. `companies`: the file of each connection's company, by the connection's key."""

    workspace: Mapping[str, Any]
    companies: Mapping[str, Path]

    @property
    def slug(self) -> str:
        """The workspace's slug."""
        return str(self.workspace["workspace"]["slug"])

    def owner_login(self) -> dict[str, str]:
        """The owner by hand, who needs no IdP."""
        owner = self.workspace["owner"]
        return {
            "email": owner["email"],
            "password": owner["password"],
            "what": "Workspace Owner by hand, at the bridge",
        }

    def featured_logins(self, key: str) -> list[dict[str, str]]:
        """The people of a company whom its login page offers."""
        company = read(self.companies[key])
        return [
            {"email": person["email"], "password": company["password"], "what": person["featured"]}
            for person in company["people"]
            if "featured" in person
        ]


@dataclass(frozen=True, slots=True)
class Scene:
    """What seeding works with. `local` is the bridge's address on this machine, whatever its public one is."""

    context: Context
    story: Story
    idps: Mapping[str, Idp]
    local: str
    now: datetime
    quiet: bool = False
    ids: dict[str, str] = field(default_factory=dict)

    @property
    def slug(self) -> str:
        """The workspace's slug."""
        return self.story.slug

    @property
    def owner(self) -> str:
        """Marcus, as an actor."""
        return f"user:{self.ids['owner']}"

    def told(self, part: str) -> Any:
        """A part of workspace.json."""
        return self.story.workspace[part]


def read_story(folder: Path) -> Story:
    """The story in config/demo. Raises NotFound where there is no checkout."""
    if not (folder / "workspace.json").exists():
        raise NotFound(f"The demo's story isn't at {folder}: it comes with a checkout, not with the installed package.")
    workspace = read(folder / "workspace.json")
    return Story(workspace, {one["key"]: folder / one["company"] for one in workspace["connections"]})


def read(path: Path) -> dict[str, Any]:
    """One JSON file."""
    loaded: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    return loaded


def seed(scene: Scene, notes: Path) -> None:
    """Do the steps that `notes` doesn't say are done. Ports may be others now: each side learns where the other is."""
    noted = read(notes) if notes.exists() else {"done": [], "ids": {}}
    scene.ids.update(noted["ids"])
    if introduce.__name__ in noted["done"] and scene.ids["bridge"] != scene.context.public_url:
        # Under another address the bridge is another server to an IdP, which begins from the beginning.
        introduce(scene)
        push_people(scene)
    for step in STEPS:
        if step.__name__ not in noted["done"]:
            step(scene)
            noted["done"].append(step.__name__)
            _note(notes, noted["done"], scene)
    _note(notes, noted["done"], scene)


def _note(notes: Path, done: list[str], scene: Scene) -> None:
    draft = notes.with_suffix(".new")
    draft.write_text(json.dumps({"done": done, "ids": scene.ids}, indent=1), encoding="utf-8")
    draft.replace(notes)


# -- The steps, in order ---------------------------------------------------------------------------------------------


def make_workspace(scene: Scene) -> None:
    """The workspace and Marcus, who owns it by hand."""
    space, owner = scene.told("workspace"), scene.told("owner")
    draft = WorkspaceDraft(
        space["slug"], space["name"], owner["email"], space["plan"], owner["password"], owner["name"]
    )
    if scene.slug not in [one.slug for one in list_workspaces(scene.context)]:
        create_workspace(scene.context, OPERATOR, draft, scene.now)
    marcus = find_member_id(scene.context, scene.slug, owner["email"])
    scene.ids["owner"] = get_person(scene.context, scene.slug, marcus, scene.now).member.user_id


def add_resources(scene: Scene) -> None:
    """Sources, warehouses and the rest, under ids that can be typed: source:orders."""
    present = [one.ref for one in list_resources(scene.context, scene.slug)]
    for one in scene.told("resources"):
        ref = ResourceRef(one["type"], make_slug(one["name"]))
        if ref not in present:
            draft = ResourceDraft(ref.type, one["name"], ref.id, frozenset(map(parse_label, one["labels"])))
            add_resource(scene.context, scene.owner, scene.slug, draft, scene.now)


def add_user_groups(scene: Scene) -> None:
    """User Groups made by hand, with what they give."""
    for one in scene.told("user_groups"):
        group = _user_group(scene, one["name"])
        for given in _missing(one, group.grants):
            give_roles.give_to_user_group(scene.context, scene.owner, scene.slug, group.id, given, scene.now)


def add_connections(scene: Scene) -> None:
    """The companies' IdPs, their domains, and the tokens by which they push."""
    present = {one.name: one.id for one in own_connections.list_connections(scene.context, scene.slug)}
    for one in scene.told("connections"):
        draft = SamlDraft(scene.idps[one["key"]].metadata(), one["name"], one["preset"], allow_idp_initiated=True)
        if one["name"] not in present:
            made = connect.create_saml(scene.context, scene.owner, scene.slug, draft, scene.now)
            present[made.name] = made.id
        scene.ids[one["key"]] = present[one["name"]]
        for domain in one["domains"]:
            named = (domain["name"], present[one["name"]])
            domains.add_domain(scene.context, scene.owner, scene.slug, *named, scene.now)
            if domain["proved"]:
                domains.trust_domain(scene.context, OPERATOR, scene.slug, domain["name"], scene.now)


def add_scim_tokens(scene: Scene) -> None:
    """Tokens as the story has them: one that runs out soon, one that has. Nobody knows the secret of one found here."""
    present = _token_ids(scene)
    for one in scene.told("scim_tokens"):
        if one["description"] in present:
            tokens.revoke_token(scene.context, scene.owner, scene.slug, present[one["description"]], scene.now)
        made, days = scene.now, one.get("expires_in_days")
        if "expired_days_ago" in one:
            made, days = scene.now - _DAY * (365 + one["expired_days_ago"]), 365
        connection = scene.ids[one["connection"]]
        token = tokens.create_scim_token(
            scene.context, scene.owner, scene.slug, connection, days, one["description"], made
        )
        if one.get("used_by_the_company"):
            target = {"url": token.base_url, "token": token.token}
            scene.idps[one["connection"]].configure(provisioning=target)


def introduce(scene: Scene) -> None:
    """Each IdP learns the bridge's addresses and keys, and the bridge the IdP's."""
    scene.ids["bridge"] = scene.context.public_url
    for key, idp in scene.idps.items():
        connection, ours = scene.ids[key], f"{scene.local}/saml/{scene.ids[key]}/metadata"
        known = own_connections.find_own(scene.context, scene.slug, connection)
        idp.configure(entity_id=known.config["idp"]["entity_id"])  # it is the same IdP, also at another port
        trusted_idp.replace_metadata(scene.context, scene.owner, scene.slug, connection, idp.metadata(), scene.now)
        metadata = requests.get(ours, timeout=30)
        if not metadata.ok:
            raise DemoFailed(f"{ours} was answered {metadata.status_code}.")
        idp.configure(service_provider={"metadata": metadata.text}, provisioning={"url": scene.context.scim_url})


def push_people(scene: Scene) -> None:
    """Each company pushes its people and groups by SCIM, in its vendor's dialect, over real HTTP."""
    for key, idp in scene.idps.items():
        _push(idp, f"{key} pushes", quiet=scene.quiet)


def add_rules(scene: Scene) -> None:
    """The rules; a group that one joins to a User Group alone is linked to it instead of its mirror."""
    every = map_groups.list_mappings(scene.context, scene.slug)
    present = {(rule.connection_id, rule.match): rule.id for rule in every}
    for one in scene.told("rules"):
        connection, group = scene.ids[one["connection"]], one.get("group")
        named = tuple(one.get("user_groups", ()))
        pushed = _pushed_groups(scene, connection).get(group or "")
        if pushed and len(named) == 1 and not one.get("gives") and not one.get("owner"):
            if (connection, GroupMatch("id", pushed)) not in present:
                map_groups.link_group(scene.context, scene.owner, scene.slug, connection, pushed, named[0], scene.now)
            continue
        match = parse_match(name=group, group_id=None, pattern=one.get("pattern"))
        roles = [*_gives(one), *([parse_role_in_scope("Workspace Owner", [])] if one.get("owner") else [])]
        draft = MappingDraft(connection, match, named, tuple(roles))
        rule = present.get((connection, match))
        rule = rule or map_groups.add_mapping(scene.context, scene.owner, scene.slug, draft, scene.now).id
        if not one.get("enabled", True):
            map_groups.set_enabled(scene.context, scene.owner, scene.slug, rule, False, scene.now)


def drop_mirrors(scene: Scene) -> None:
    """Two groups have no User Group of their own."""
    for one in scene.told("not_mirrored"):
        with suppress(NotFound):
            group = user_groups.find_user_group_id(scene.context, scene.slug, one["group"])
            user_groups.delete_user_group(scene.context, scene.owner, scene.slug, group, scene.now)


def give_by_hand(scene: Scene) -> None:
    """Members of User Groups, and roles of single people."""
    for one in scene.told("user_groups"):
        if one.get("members"):
            group = user_groups.find_user_group_id(scene.context, scene.slug, one["name"])
            user_groups.add_members(scene.context, scene.owner, scene.slug, group, one["members"], scene.now)
    for one in scene.told("grants"):
        member = find_member_id(scene.context, scene.slug, one["member"])
        given = _role(one)
        present = [grant.given for grant in get_person(scene.context, scene.slug, member, scene.now).grants]
        if given not in present:
            give_roles.give_to_member(scene.context, scene.owner, scene.slug, member, given, scene.now)


def sign_in_first(scene: Scene) -> None:
    """Who came by a first sign-in alone: they sign in now."""
    for one in scene.told("first_sign_ins"):
        login = saml_connection.addresses(scene.context, scene.ids[one["connection"]]).login_url
        password = read(scene.story.companies[one["connection"]])["password"]
        scene.idps[one["connection"]].sign_in(login, one["email"], password)


def send_invitations(scene: Scene) -> None:
    """People invited, one of them some days ago."""
    present = [pending.email for pending in list_invites(scene.context, scene.slug)]
    for one in scene.told("invitations"):
        if one["email"] in present:
            continue
        named = [user_groups.find_user_group_id(scene.context, scene.slug, name) for name in one.get("user_groups", ())]
        lifetime = scene.context.invite_lifetime
        sent = scene.now - lifetime + _DAY * one.get("expires_in_days", lifetime / _DAY)
        draft = InviteDraft((one["email"],), tuple(_gives(one)), tuple(named))
        invite(scene.context, scene.owner, scene.slug, draft, sent)


def ask_for_roles(scene: Scene) -> None:
    """Members who wait for an owner's answer. Who has by now what they asked for asks no more."""
    waiting = {(one.email, one.message) for one in list_requests(scene.context, scene.slug)}
    for one in scene.told("access_requests"):
        if (one["member"], one["message"]) in waiting:
            continue
        member_id = find_member_id(scene.context, scene.slug, one["member"])
        person = get_person(scene.context, scene.slug, member_id, scene.now)
        draft = RequestDraft(one["role"], one["on"][0], one["message"])
        with suppress(Conflict):
            ask_for_access(scene.context, f"user:{person.member.user_id}", scene.slug, draft, scene.now)


def add_api_tokens(scene: Scene) -> None:
    """Tokens of programs; nobody has their secrets."""
    present = _token_ids(scene)
    for one in scene.told("api_tokens"):
        if one["description"] not in present:
            gives = list(_gives(one))
            tokens.create_api_token(scene.context, scene.owner, scene.slug, gives, None, one["description"], scene.now)


STEPS: tuple[Callable[[Scene], None], ...] = (
    make_workspace,
    add_resources,
    add_user_groups,
    add_connections,
    add_scim_tokens,
    introduce,
    push_people,
    add_rules,
    drop_mirrors,
    give_by_hand,
    sign_in_first,
    send_invitations,
    ask_for_roles,
    add_api_tokens,
)


# -- Parts of them ---------------------------------------------------------------------------------------------------


def _pushed_groups(scene: Scene, connection_id: str) -> dict[str, str]:
    """The ids of a connection's pushed groups, by name."""
    every = own_connections.list_connections(scene.context, scene.slug)
    connection = next(one for one in every if one.id == connection_id)
    found, _ = search_groups(scene.context, connection, None, offset=0, count=1000, with_members=False)
    return {group.name: group.id for group in found}


def _user_group(scene: Scene, name: str) -> UserGroup:
    """The User Group of this name, made where it isn't there."""
    try:
        found = user_groups.find_user_group_id(scene.context, scene.slug, name)
    except NotFound:
        return user_groups.create_user_group(scene.context, scene.owner, scene.slug, name, scene.now)
    return user_groups.get_user_group(scene.context, scene.slug, found, scene.now)


def _token_ids(scene: Scene) -> dict[str, str]:
    return {token.description: token.id for token in tokens.list_tokens(scene.context, scene.slug, scene.now)}


def _push(idp: Idp, label: str, *, quiet: bool) -> None:
    for phase, steps in groupby(idp.push(), key=itemgetter("phase")):
        _show(iter(steps), f"{label}: {phase}", quiet=quiet)


def _show(steps: Iterator[dict[str, Any]], label: str, *, quiet: bool) -> None:
    """Go through the steps of a push, with a bar that says how far it is."""
    first = next(steps)
    if quiet:
        deque(steps, maxlen=0)
        return
    with click.progressbar(chain([first], steps), first["total"], label, file=sys.stderr) as bar:
        deque(bar, maxlen=0)


def _gives(one: Mapping[str, Any]) -> Iterable[RoleInScope]:
    return [_role(given) for given in one.get("gives", ())]


def _missing(one: Mapping[str, Any], grants: Iterable[GivenGrant]) -> list[RoleInScope]:
    standing = [grant.given for grant in grants]
    return [given for given in _gives(one) if given not in standing]


def _role(given: Mapping[str, Any]) -> RoleInScope:
    return parse_role_in_scope(given["role"], [_term(term) for term in given["on"]])


def _term(written: str) -> str:
    """`source:iOS Prod` names a resource; on a command line it is source:ios-prod."""
    kind, colon, name = written.partition(":")
    return written if not colon or kind == "label" else f"{kind}:{make_slug(name)}"
