"""Applications ask: may this person do this to that resource? One check or many, by an API token (product.md 6.2).

A token sees its own workspace. With Workspace Owner it may ask about everything there, and for the reasons; with any
other role, about the resources that the role itself lets it see.
"""

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from bridge.domain.access import RoleInScope, fits
from bridge.domain.access_checks import Check, CheckAnswer, Checked
from bridge.domain.errors import Forbidden, NotFound
from bridge.domain.people import fold_letters
from bridge.domain.roles import AREAS, RESOURCE_TYPES, Level, Plan, in_plan, roles_giving
from bridge.domain.workspace import Workspace
from bridge.flows.bearer_secrets import digest
from bridge.flows.context import Context
from bridge.flows.explain import LEVELS, Question, roles_asked
from bridge.flows.explain_links import Explained, explain_check
from bridge.flows.explain_not import WhyNot, why_not
from bridge.flows.tokens import API_PREFIX, LONGEST_SECRET
from bridge.storage import tokens
from bridge.storage.access_checks import (
    OneCheck,
    ResourceAsked,
    check_one,
    holdings,
    members_asked,
    resources_asked,
)
from bridge.storage.people import find_user_by_uid
from bridge.storage.tokens import USE_NOTED_EVERY, FoundApiToken
from bridge.storage.workspaces import find_by_key

#: Whose roles a single check is asked with first.
_USUAL_PLAN: Plan = "business"


@dataclass(frozen=True, slots=True)
class AccessCaller:
    """Who asks: an API token that works now, and the workspace that it sees, as it was a moment ago.

    `sees`: None for all of it, else the roles that say what.
    """

    token_id: str
    workspace: Workspace
    sees: tuple[RoleInScope, ...] | None

    def sees_type(self, kind: str) -> bool:
        """Whether it may ask about resources of a type at all."""
        return self.sees is None or any(_sees_type(given, kind) for given in self.sees)


def _sees_type(given: RoleInScope, kind: str) -> bool:
    return given.role.gives.get(kind, 0) >= Level.READ


def find_access_caller(context: Context, secret: str, now: datetime) -> AccessCaller | None:
    """Who asks with this bearer secret; None for one that is unknown, has run out, or lost its maker.

    One statement, one more for a token that owns not all, and at most once a minute another that notes the use.
    """
    if not _may_be_token(secret):
        return None
    with context.database.reading() as connection:
        found = tokens.find_api_token(connection, digest(secret), now)
    return None if found is None else _caller(context, found, now)


def _may_be_token(secret: str) -> bool:
    return secret.startswith(API_PREFIX) and len(secret) <= LONGEST_SECRET


def _caller(context: Context, found: FoundApiToken, now: datetime) -> AccessCaller:
    if found.last_used_at is None or now - found.last_used_at >= USE_NOTED_EVERY:
        with context.database.writing() as connection:
            tokens.note_use(connection, found.key, now)
    if found.owns:
        return AccessCaller(found.id, found.workspace, None)
    with context.database.reading() as connection:
        roles = tokens.roles_of(connection, found.principal_key, now)
    return AccessCaller(
        found.id, found.workspace, tuple(given for given in roles if in_plan(given.role, found.workspace.plan))
    )


def ask_one(context: Context, secret: str, check: Check, now: datetime) -> tuple[AccessCaller, Checked] | None:
    """Who asks with this secret, as `find_access_caller` has it, and the answer to one check: where the token owns the
    workspace, by one statement for both. Raises Forbidden as `answer_checks` does.
    """
    if not _may_be_token(secret):
        return None
    subject, hashed, plan = name_of(check.subject), digest(secret), str(_USUAL_PLAN)
    while True:  # the roles are those of a plan, which is known with the answer
        roles = roles_giving(check.type, LEVELS[check.action], plan)
        with context.database.reading() as connection:
            found = check_one(connection, hashed, subject, roles, check.resource, now)
        if found is None:
            return None
        token, one = found
        if not token.owns:
            caller = _caller(context, token, now)
            return caller, answer_checks(context, caller, [check], now)
        if token.workspace.plan == plan:
            return _caller(context, token, now), _answer_of(one, token.workspace.rev)
        plan = token.workspace.plan


def _answer_of(one: OneCheck, revision: int) -> Checked:
    if one.resource is None:
        return Checked((CheckAnswer(False, "resource"),), revision, None)
    if one.member is None:
        return Checked((CheckAnswer(False, "subject"),), revision, None)
    return Checked((CheckAnswer(one.ends is not None),), revision, one.until)


def answer_checks(context: Context, caller: AccessCaller, checks: Sequence[Check], now: datetime) -> Checked:
    """Every check, all of one moment. Raises Forbidden where the token's roles say nothing about a type."""
    _check_types(caller, {check.type for check in checks})
    with context.database.snapshot() as connection:
        workspace = _as_it_is(connection, caller)
        people = _people(connection, workspace, checks)
        refs = {check.resource for check in checks if check.resource is not None}
        found = resources_asked(connection, workspace.key, refs)
        roles = {role for check in checks for role in _roles(workspace, check)}
        keys = [one.key for one in found.values()]
        held = holdings(connection, people.values(), keys, roles, now)
    answers = []
    for check in checks:
        resource = found.get(check.resource) if check.resource else None
        member = people.get(name_of(check.subject))
        if not _is_seen(caller, check, resource):
            answers.append(CheckAnswer(False, "resource"))
        elif member is None:
            answers.append(CheckAnswer(False, "subject"))
        else:
            answers.append(CheckAnswer(held.may(member, _roles(workspace, check), resource)))
    return Checked(tuple(answers), workspace.rev, held.until)


def _check_types(caller: AccessCaller, kinds: Collection[str]) -> None:
    for kind in sorted(kinds):
        if not caller.sees_type(kind):
            named = AREAS[kind] if kind in AREAS else RESOURCE_TYPES[kind][1]
            raise Forbidden(f"This token's roles say nothing about {named}.")


def _as_it_is(connection: Any, caller: AccessCaller) -> Workspace:
    """The workspace at the moment of the answers."""
    workspace = find_by_key(connection, caller.workspace.key)
    if workspace is None:
        raise NotFound("The workspace is gone.")
    return workspace


def name_of(subject: str) -> str:
    """Somebody's id, or their address as it is compared."""
    return fold_letters(subject) if "@" in subject else subject


def _people(connection: Any, workspace: Workspace, checks: Iterable[Check]) -> dict[str, int]:
    names = {name_of(check.subject) for check in checks}
    emails = {name for name in names if "@" in name}
    return members_asked(connection, workspace.key, sorted(emails), sorted(names - emails))


def _roles(workspace: Workspace, check: Check) -> tuple[str, ...]:
    return roles_asked(workspace, _question(check))


def _question(check: Check) -> Question:
    return Question(check.action, check.type, check.resource)


def _is_seen(caller: AccessCaller, check: Check, resource: ResourceAsked | None) -> bool:
    """Whether there is what is asked about, for this token."""
    if check.resource is None:
        return caller.sees_type(check.type)
    if resource is None or caller.sees is None:
        return resource is not None
    ref, labels = check.resource, resource.labels
    return any(_sees_type(given, check.type) and fits(given.scope, ref, labels) for given in caller.sees)


# -- Why -----------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class ExplainedCheck:
    """The answer to one check with its reasons: the permissions and paths that give it, or what stands in the way and
    what would give it; neither where somebody or something is unknown.
    """

    check: CheckAnswer
    revision: int
    given: tuple[Explained, ...] = ()
    why_not: WhyNot | None = None


def explain_asked(context: Context, caller: AccessCaller, check: Check, now: datetime) -> ExplainedCheck:
    """Why, or why not. Raises Forbidden where the token isn't an owner's (reasons name people, groups and rules);
    NotFound where the resource has just gone.
    """
    if caller.sees is not None:
        raise Forbidden("Only a token with the role Workspace Owner may ask for reasons.")
    checked = answer_checks(context, caller, [check], now)
    if checked.answers[0].unknown:
        return ExplainedCheck(checked.answers[0], checked.revision)
    slug, email, question = caller.workspace.slug, _email(context, check.subject), _question(check)
    given = explain_check(context, slug, email, question, now)
    reasons = None if given else why_not(context, slug, email, question, now)
    return ExplainedCheck(CheckAnswer(bool(given)), checked.revision, given, reasons)


def _email(context: Context, subject: str) -> str:
    """Of somebody who is known to be a member: an id finds accounts of other workspaces, too."""
    if "@" in subject:
        return subject
    with context.database.reading() as connection:
        user = find_user_by_uid(connection, subject)
    return user.email if user else subject
