"""A workspace to which things happen one after the other, and what was said of its people after each."""

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import update

from bridge.domain.access import ResourceRef, RoleInScope, parse_scope
from bridge.domain.directory import GroupChange
from bridge.domain.errors import DomainError, NotFound
from bridge.domain.group_mapping import GroupMatch, MatchKind
from bridge.domain.labels import parse_label
from bridge.domain.roles import get_role
from bridge.domain.workspace import Connection
from bridge.flows.context import OPERATOR
from bridge.flows.explain import Answer, ask, check
from bridge.flows.explain_history import AccessChange, history_of
from bridge.flows.explain_links import Explained, explain_access
from bridge.flows.explain_not import WhyNot, why_not
from bridge.flows.explain_not_past import why_not_at
from bridge.flows.explain_past import Traces, access_at, check_at
from bridge.flows.give_roles import give_to_member, give_to_user_group
from bridge.flows.map_groups import MappingDraft, add_mapping
from bridge.flows.members import find_member_id
from bridge.flows.provision_groups import change_group, create_group
from bridge.flows.provision_users import change_user, create_user
from bridge.flows.resources import ResourceDraft, add_resource
from bridge.storage import people
from bridge.storage.asserted_groups import LoginRecord, record_of_login, replace_asserted
from bridge.storage.changes import changing
from bridge.storage.grants import insert_grant
from bridge.storage.mappings import refresh_group_matches
from bridge.storage.tables import grants
from tests.world import World, pushed

#: What is asked of everybody after each step.
QUESTIONS = (("edit", "source:web"), ("read", "source:web"), ("edit", "source:ios"), ("create", "source"))
#: Of these it is asked, too, why not.
WHY_NOT = (("edit", "source:web"),)
Said = tuple[tuple[Explained, ...] | None, tuple[Answer | None, ...], tuple[WhyNot | None, ...]]


@dataclass
class Story:
    """One workspace, its clock, its people by address, and what was said of them at each moment."""

    world: World
    now: datetime
    emails: tuple[str, ...]
    said: dict[datetime, dict[str, Said]] = field(default_factory=dict)
    records: dict[tuple[str, str], str] = field(default_factory=dict)

    @property
    def slug(self) -> str:
        """The workspace's."""
        return self.world.workspace.slug

    def then(self, step: Callable[[], Any], after: timedelta = timedelta(seconds=1)) -> Any:
        """Let the clock go on, do it (a refusal changes nothing), and remember what is said of everybody."""
        self.now += after
        try:
            came = step()
        except DomainError:
            came = None
        self.said[self.now] = {email: self.ask(email) for email in self.emails}
        return came

    def wait(self, after: timedelta) -> None:
        """Nothing happens but time."""
        self.then(lambda: None, after)

    def ask(self, email: str) -> Said:
        """What is said of somebody now."""
        context = self.world.context
        try:
            permissions = explain_access(context, self.slug, email, self.now)
        except NotFound:
            permissions = None
        answers = tuple(self._check(email, *question) for question in QUESTIONS)
        return permissions, answers, tuple(self._why_not(email, *question) for question in WHY_NOT)

    def _why_not(self, email: str, action: str, target: str) -> WhyNot | None:
        """What stands in the way, and what nearly gives it; what would isn't told of then."""
        try:
            found = why_not(self.world.context, self.slug, email, ask(action, target), self.now)
        except NotFound:
            return None
        return None if "no_member" in [one.kind for one in found.person] else replace(found, ways=())

    def _check(self, email: str, action: str, target: str) -> Answer | None:
        try:
            return check(self.world.context, self.slug, email, ask(action, target), self.now)
        except NotFound:
            return None

    def ask_of(self, email: str, at: datetime) -> Said:
        """The same, of a moment that is past."""
        context = self.world.context
        try:
            past = access_at(context, self.slug, email, at, self.now, traces=Traces())
            assert past.permissions == tuple(one.permission for one in past.traced)
            permissions = None if past.state in ("before_workspace", "before_membership") else past.traced
        except NotFound:
            permissions = None
        answers = tuple(self._check_of(email, at, *question) for question in QUESTIONS)
        if permissions is None:
            return permissions, answers, (None,) * len(WHY_NOT)
        return permissions, answers, tuple(self._why_not_of(email, at, *question) for question in WHY_NOT)

    def _why_not_of(self, email: str, at: datetime, action: str, target: str) -> WhyNot | None:
        try:
            return why_not_at(self.world.context, self.slug, email, ask(action, target), at, self.now)
        except NotFound:
            return None

    def _check_of(self, email: str, at: datetime, action: str, target: str) -> Answer | None:
        try:
            answer = check_at(self.world.context, self.slug, email, ask(action, target), at, self.now)
        except NotFound:
            return None
        assert answer.allowed is not None
        return Answer(answer.allowed, answer.because)

    def is_as_it_was_said(self) -> None:
        """All that was said is said again, now, as of then."""
        for at, of_each in self.said.items():
            for email, said in of_each.items():
                assert self.ask_of(email, at) == said, f"{email} at {at}"

    def changes_add_up(self) -> None:
        """What somebody gained and lost, as it is told, leads from what was said first to all that was said after."""
        for email in self.emails:
            told = self._changes(email)
            for at, of_each in sorted(self.said.items()):
                held: set[RoleInScope] = set()
                for change in (one for one in told if one.at <= at):
                    assert held.isdisjoint(change.gained), f"{email} had it: {change}"
                    assert held >= set(change.lost), f"{email} had it not: {change}"
                    held = held - set(change.lost) | set(change.gained)
                said = {RoleInScope(one.permission.role, one.permission.scope) for one in of_each[email][0] or ()}
                assert held == said, f"{email} at {at}"

    def _changes(self, email: str) -> list[AccessChange]:
        found: list[AccessChange] = []
        until: datetime | None = self.now
        while until is not None:
            try:
                page = history_of(self.world.context, self.slug, email, self.now, until=until)
            except NotFound:  # they never became a member
                return []
            found += page.changes
            until = page.older
        return found[::-1]

    # -- Steps, by the clock ---------------------------------------------------------------------------

    def push(self, email: str, connection: Connection | None = None, *, active: bool = True) -> None:
        """An IdP pushes a person, anew or once more."""
        by = connection or self.world.connection
        said = pushed(email, name=email.partition("@")[0].title(), active=active)
        known = self.records.get((by.id, email))
        if known is None:
            self.records[by.id, email] = create_user(self.world.context, by, said, self.now).id
        else:
            change_user(self.world.context, by, known, lambda _: said, self.now)

    def record(self, email: str, connection: Connection | None = None) -> str:
        """The record of a person whom an IdP pushed."""
        return self.records[(connection or self.world.connection).id, email]

    def push_group(self, name: str, *emails: str, connection: Connection | None = None) -> str:
        """An IdP pushes a group with these people."""
        by = connection or self.world.connection
        ids = [self.record(email, by) for email in emails]
        return create_group(self.world.context, by, name, None, ids, self.now).id

    def change_group(self, group: str, *changes: GroupChange, connection: Connection | None = None) -> None:
        """An IdP changes a group."""
        change_group(self.world.context, connection or self.world.connection, group, changes, self.now)

    def log_in(self, email: str, *groups: str, days: int = 7) -> None:
        """A person signs in by SSO, which names these groups."""
        by, until = self.world.connection, self.now + timedelta(days=days)
        with changing(self.world.context.database, OPERATOR, self.now) as change:
            user = people.find_user_by_email(change.connection, email)
            member = people.find_member(change.connection, self.world.workspace.key, user.key) if user else None
            assert member is not None
            record = record_of_login(change, by.key, member.key, LoginRecord(email, email, email))
            named = replace_asserted(change, by.key, record, groups, until)
            refresh_group_matches(change, by.key, [key for key, _, _ in named.made])
            told = {"came_into": list(named.came), "left": list(named.left)}
            change.record(self.world.workspace.key, "idp_groups.named_at_login", member.id, after=told)

    def add_rule(
        self,
        kind: MatchKind,
        value: str,
        *,
        roles: tuple[RoleInScope, ...] = (),
        user_groups: tuple[str, ...] = (),
        connection: Connection | None = None,
    ) -> str:
        """An admin makes a rule."""
        draft = MappingDraft((connection or self.world.connection).id, GroupMatch(kind, value), user_groups, roles)
        return add_mapping(self.world.context, OPERATOR, self.slug, draft, self.now).id

    def add_source(self, name: str, *labels: str) -> None:
        """A source, whose id is its name."""
        draft = ResourceDraft("source", name, name, frozenset(map(parse_label, labels)))
        add_resource(self.world.context, OPERATOR, self.slug, draft, self.now)

    def give(self, email: str, role: str, *scope: str) -> str:
        """A role by hand."""
        member = find_member_id(self.world.context, self.slug, email)
        return give_to_member(self.world.context, OPERATOR, self.slug, member, given(role, *scope), self.now).id

    def give_group(self, group: str, role: str, *scope: str) -> str:
        """A role to a User Group, by its id."""
        return give_to_user_group(self.world.context, OPERATOR, self.slug, group, given(role, *scope), self.now).id

    def give_until(self, email: str, until: datetime, role: str, *scope: str) -> None:
        """A role that ends by itself."""
        with changing(self.world.context.database, OPERATOR, self.now) as change:
            user = people.find_user_by_email(change.connection, email)
            member = people.find_member(change.connection, self.world.workspace.key, user.key) if user else None
            assert member is not None
            key, uid = insert_grant(change, self.world.workspace.key, member.key, given(role, *scope), OPERATOR)
            change.record(self.world.workspace.key, "grant.given", uid, after={"role": role, "scope": list(scope)})
            change.connection.execute(update(grants).where(grants.c.id == key).values(expires_at=until))


def given(role: str, *scope: str) -> RoleInScope:
    """A role by its name, in a scope."""
    found = get_role(role)
    return RoleInScope(found, parse_scope(scope, found))


def source(name: str) -> ResourceRef:
    """A source by its id."""
    return ResourceRef("source", name)
