"""The steps of a plan, done: each by the same function that the page and the command for it use, within one change."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Any

from bridge.domain.as_code import CodedConnection, CodedRule, settings_keys
from bridge.domain.as_code_connections import idp_differs
from bridge.domain.as_code_step import Holder, Step
from bridge.domain.errors import Invalid, NotFound, Stale
from bridge.domain.group_mapping import GroupMatch
from bridge.domain.people import clean_name, fold
from bridge.domain.previews import MappingDraft
from bridge.domain.resources import Resource
from bridge.domain.slugs import make_slug
from bridge.domain.workspace import Connection, Workspace
from bridge.flows import (
    administer,
    connect,
    domains,
    give_roles,
    hipaa,
    map_groups,
    own_connections,
    require_factor,
    require_sso,
    resources,
    user_groups,
)
from bridge.flows.as_code_outside import Found
from bridge.flows.as_code_standing import idp_of
from bridge.flows.connection_settings import set_settings
from bridge.flows.context import Context
from bridge.flows.named import check_sso_in_plan, get_connection, get_member_by_email, hold_active
from bridge.flows.named_rules import get_rule
from bridge.flows.oidc_settings import set_oidc_settings
from bridge.flows.trusted_idp import trust
from bridge.storage import as_code, connections
from bridge.storage import user_groups as stored_groups
from bridge.storage.changes import Change
from bridge.storage.user_groups import StoredUserGroup, check_open

_KINDS: Mapping[str, Any] = {"pattern": "glob", "name": "name", "external_id": "external_id", "id": "id"}


@dataclass(frozen=True, slots=True)
class Work:
    """One change in which steps are done."""

    context: Context
    change: Change
    workspace: Workspace
    found: Found

    def do(self, step: Step) -> None:
        """Do one step. Raises DomainError, as what it does by hand would."""
        _DOING[step.what, step.action](self, step)

    # -- What is named -------------------------------------------------------------------------------

    def connection(self, name: str) -> Connection:
        """The connection of that name, without case. Raises NotFound."""
        every = connections.list_connections(self.change.connection, self.workspace.key)
        found = next((one for one in every if fold(one.name) == fold(name)), None)
        if found is None:
            raise NotFound(f"There is no connection {name[:80]!r}.")
        return found

    def user_group(self, name: str) -> StoredUserGroup:
        """The User Group of that name, without case. Raises NotFound."""
        found = stored_groups.find_user_group(self.change.connection, self.workspace.key, name=name)
        if found is None:
            raise NotFound(f"There is no User Group {name[:80]!r}.")
        return found

    def holder(self, holder: Holder) -> tuple[int, str]:
        """The key of who is given something, held, and how the audit trail calls them. Raises NotFound."""
        if holder.kind == "user_group":
            group = self.user_group(holder.name)
            return group.key, f"user_group:{group.group.id}"
        found = get_member_by_email(self.change.connection, self.workspace, holder.name)
        hold_active(self.change, self.workspace, [found])
        return found[1].key, f"member:{found[1].id}"


# -- The workspace -----------------------------------------------------------------------------------


def _rename_workspace(work: Work, step: Step) -> None:
    administer.name_workspace(work.change, work.workspace, step.wanted)


def _set(work: Work, step: Step) -> None:
    change, workspace, switch = work.change, work.workspace, step.wanted
    if step.name == "require_sso":
        require_sso.switch_sso_as_operator(change, workspace, switch)
    elif step.name == "require_second_factor":
        require_factor.switch_factor(change, workspace, switch)
    elif step.name == "mailed_codes":
        require_factor.switch_mailed_codes(change, workspace, not switch)
    else:
        hipaa.switch_hipaa(change, workspace, switch)


# -- Resources ---------------------------------------------------------------------------------------


def _make_label(work: Work, step: Step) -> None:
    resources.make_label(work.change, work.workspace, step.wanted.label, step.wanted.description or "")


def _describe_label(work: Work, step: Step) -> None:
    resources.describe(work.change, work.workspace, step.wanted.label, step.wanted.description)


def _forget_label(work: Work, step: Step) -> None:
    resources.forget_label(work.change, work.workspace, step.present.label)


def _register(work: Work, step: Step) -> None:
    one = step.wanted
    resource = Resource(one.ref, one.name, make_slug(one.name), one.labels or frozenset())
    resources.register(work.change, work.workspace, resource)


def _change_resource(work: Work, step: Step) -> None:
    one = step.wanted
    resources.rename(work.change, work.workspace, one.ref, one.name)
    if one.labels is not None:
        resources.relabel(work.change, work.workspace, one.ref, one.labels)


def _forget(work: Work, step: Step) -> None:
    resources.forget(work.change, work.workspace, step.present.ref)


# -- Connections and domains -------------------------------------------------------------------------


def _connect(work: Work, step: Step) -> None:
    one: CodedConnection = step.wanted
    if one.at not in work.found.new:
        raise Stale(f"{one.name} was deleted while this was planned. Plan again.")
    check_sso_in_plan(work.workspace)
    connect.check_name_free(work.change, work.workspace.key, one.name)
    made = connect.make_connection(work.change, work.workspace, work.found.new[one.at])
    _settle(work, one, made, None)


def _change_connection(work: Work, step: Step) -> None:
    one: CodedConnection = step.wanted
    found = work.connection(step.present.name)
    for key, now in (("kind", found.kind), ("preset", found.config["preset"]), ("issuer", found.config.get("issuer"))):
        said = one.kind if key == "kind" else one.said.get(key, now)
        if said != now:
            raise Invalid(f"The {key} of {found.name} is {now}, and can't be changed: make another connection.", key)
    if idp_differs(idp_of(found), one.idp):
        if one.at not in work.found.trusted:
            raise Stale(f"What is trusted of {found.name} was changed while this was planned. Plan again.")
        trust(work.change, work.workspace, found, work.found.trusted[one.at])
        found = get_connection(work.change.connection, work.workspace, found.id)
    is_new = one.secret is not None and step.present.secret is not None and one.secret.by != "keep"
    is_other = is_new and one.secret is not None and one.secret.value != step.present.secret.value
    secret = one.secret.value if one.secret and (is_other or step.present.secret is None) else None
    _settle(work, one, found, secret)


def _settle(work: Work, one: CodedConnection, found: Connection, secret: str | None) -> None:
    """The connection's name, settings and switch as they are said."""
    own: dict[str, Any] = {field: one.said[key] for key, field in settings_keys(one.kind).items() if key in one.said}
    own |= {"name": one.name}
    given = (work.change, work.workspace, found, lambda settings: replace(settings, **own))
    if one.kind == "oidc":
        set_oidc_settings(work.context, *given, client_secret=secret)
    else:
        set_settings(*given)
    enabled = one.said.get("enabled", found.enabled)
    if enabled != found.enabled:
        now = get_connection(work.change.connection, work.workspace, found.id)
        own_connections.switch_connection(work.change, work.workspace, now, enabled)


def _disconnect(work: Work, step: Step) -> None:
    own_connections.remove_connection(work.change, work.workspace, work.connection(step.present.name))


def _claim(work: Work, step: Step) -> None:
    domains.claim(work.change, work.workspace, step.name, _connection_id(work, step.wanted.connection))


def _route(work: Work, step: Step) -> None:
    domains.route(work.change, work.workspace, step.name, _connection_id(work, step.wanted.connection))


def _let_go(work: Work, step: Step) -> None:
    domains.let_go(work.change, work.workspace, step.name)


def _connection_id(work: Work, name: str | None) -> str | None:
    return None if name is None else work.connection(name).id


# -- User Groups and grants --------------------------------------------------------------------------


def _make_user_group(work: Work, step: Step) -> None:
    user_groups.make_user_group(work.change, work.workspace, clean_name(step.wanted.name))


def _rename_user_group(work: Work, step: Step) -> None:
    group = work.user_group(step.present.name)
    check_open(group)
    user_groups.rename(work.change, work.workspace, group, clean_name(step.wanted.name))


def _remove_user_group(work: Work, step: Step) -> None:
    user_groups.remove(work.change, work.workspace, work.user_group(step.present.name))


def _put_in(work: Work, step: Step) -> None:
    group = work.user_group(step.name)
    check_open(group)
    user_groups.put_in(work.change, work.workspace, group, step.wanted)


def _take_out(work: Work, step: Step) -> None:
    user_groups.take_out(work.change, work.workspace, work.user_group(step.name), step.present)


def _give(work: Work, step: Step) -> None:
    holder, given = step.wanted
    key, called = work.holder(holder)
    give_roles.give(work.change, work.workspace, key, called, given)


def _take(work: Work, step: Step) -> None:
    holder, given = step.wanted
    key, _ = work.holder(holder)
    uid = as_code.find_grant_id(work.change.connection, key, given)
    if uid is not None:
        give_roles.take(work.change, work.workspace, uid)


# -- Rules -------------------------------------------------------------------------------------------


def _make_rule(work: Work, step: Step) -> None:
    rule: CodedRule = step.wanted
    connection = work.connection(rule.connection)
    if rule.link:
        map_groups.tie_group(work.change, work.workspace, connection, rule.value, rule.user_groups[0])
        return
    made = map_groups.make_rule(work.change, work.workspace, _draft(work, rule))
    map_groups.switch_rule(work.change, work.workspace, made, rule.enabled)


def _draft(work: Work, rule: CodedRule) -> MappingDraft:
    names = tuple(work.user_group(name).group.name for name in rule.user_groups)
    match = GroupMatch(_KINDS[rule.by], rule.value)
    return MappingDraft(work.connection(rule.connection).id, match, names, rule.roles)


def _change_rule(work: Work, step: Step) -> None:
    rule: CodedRule = step.wanted
    if rule.link or step.present.link:  # a link is tied anew
        _end_rule(work, step)
        _make_rule(work, step)
        return
    stored = get_rule(work.change.connection, work.workspace, step.present.at)
    if rule.gives != step.present.gives:
        map_groups.alter_rule(work.change, work.workspace, stored, _draft(work, rule))
    map_groups.switch_rule(work.change, work.workspace, stored, rule.enabled)


def _end_rule(work: Work, step: Step) -> None:
    stored = get_rule(work.change.connection, work.workspace, step.present.at)
    map_groups.end_rule(work.change, work.workspace, stored)


_DOING: Mapping[tuple[str, str], Callable[[Work, Step], None]] = {
    ("workspace", "change"): _rename_workspace,
    ("setting", "change"): _set,
    ("label", "create"): _make_label,
    ("label", "change"): _describe_label,
    ("label", "delete"): _forget_label,
    ("resource", "create"): _register,
    ("resource", "change"): _change_resource,
    ("resource", "delete"): _forget,
    ("connection", "create"): _connect,
    ("connection", "change"): _change_connection,
    ("connection", "delete"): _disconnect,
    ("domain", "create"): _claim,
    ("domain", "change"): _route,
    ("domain", "delete"): _let_go,
    ("user_group", "create"): _make_user_group,
    ("user_group", "change"): _rename_user_group,
    ("user_group", "delete"): _remove_user_group,
    ("people", "create"): _put_in,
    ("people", "delete"): _take_out,
    ("grant", "create"): _give,
    ("grant", "delete"): _take,
    ("mapping", "create"): _make_rule,
    ("mapping", "change"): _change_rule,
    ("mapping", "delete"): _end_rule,
}
