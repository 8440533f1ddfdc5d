"""`/w/<slug>/mapping/new` and `…/rules/<id>/change`: a rule is written, what it would do is shown, then it is saved.

The form carries all that was typed, so each of its buttons works without script: one more role, what the match takes,
what it would do, all who gain. It is saved only as it was shown last, and only if it still does the same.
"""

import json
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from hashlib import sha256
from typing import Literal
from uuid import UUID

from flask import Blueprint, Response, request

from bridge.domain.access import EVERYWHERE, RoleInScope, Scope
from bridge.domain.errors import DomainError, Invalid, NotFound
from bridge.domain.group_mapping import GroupMatch, parse_match
from bridge.domain.previews import AddRule, ChangeRule, MappingDraft, Moved, Preview, Side
from bridge.domain.roles import get_role
from bridge.domain.sentences import counted
from bridge.flows.map_groups import MappingFacts, add_mapping, change_mapping, get_mapping
from bridge.flows.preview import list_moved, preview
from bridge.flows.roles_given import parse_role_in_scope
from bridge.flows.rule_draft import TakenNow, list_links, offer_groups, taken_now
from bridge.flows.user_groups import list_open_user_groups
from bridge.web.pages.forms import (
    Picked,
    Stock,
    asked,
    error_at,
    error_note,
    load_stock,
    picked,
    role_select,
    scope_picker,
    ticked,
    typed,
)
from bridge.web.pages.frame import Visit, enter_as_owner, show
from bridge.web.pages.mapping_parts import gives_part, role_part, who_part
from bridge.web.pages.preview_parts import moved_csv, moved_note, numbers, page_of, panel_of, read_seen
from bridge.web.pages.views import (
    Chip,
    Choice,
    Field,
    GivenRole,
    Link,
    Note,
    Option,
    PreviewPanel,
    RuleFormPage,
    RulePart,
    TakenGroups,
)
from bridge.web.return_path import go
from bridge.web.statuses import status_of

blueprint = Blueprint("rule_form", __name__, url_prefix="/w/<slug>/mapping")

How = Literal["one", "name", "glob"]
_HOW: dict[How, tuple[str, str]] = {
    "one": ("One group", "Follows it when it is renamed."),
    "name": ("By name", "Exactly this name, also of a group made later."),
    "glob": ("By pattern", "* stands for anything, ? for one character."),
}
#: So many roles, written in so many characters, a form carries with room for the rest; nobody adds them one by one.
_MOST_ROLES, _MOST_WRITTEN = 200, 150_000
_TITLE, _WAITING = "If you save this", "Say which groups, and what they get."
_UNCHANGED = "Change the rule, and you see here who gains and who loses."


@dataclass(frozen=True, slots=True)
class Written:
    """How the form was left, right or wrong. `external`: the rule names its group by the IdP's own id, and keeps it."""

    connection_id: str = ""
    how: How = "one"
    group_id: str = ""
    external: str = ""
    find: str = ""
    name: str = ""
    pattern: str = ""
    user_groups: tuple[str, ...] = ()
    gives: tuple[RoleInScope, ...] = ()
    role: str = ""
    picked: Picked = field(default_factory=Picked)

    def match(self) -> GroupMatch:
        """The match that it names. Raises Invalid."""
        if self.how == "one" and self.external and not self.group_id:
            return GroupMatch("external_id", self.external)
        if self.how == "one" and not self.group_id:
            raise Invalid("Choose the group.", field="group")
        if self.how == "one":
            return parse_match(name=None, group_id=self.group_id, pattern=None)
        if self.how == "name":
            return parse_match(name=self.name, group_id=None, pattern=None)
        return parse_match(name=None, group_id=None, pattern=self.pattern)

    def draft(self) -> MappingDraft:
        """The rule as asked for. Raises Invalid."""
        return MappingDraft(self.connection_id, self.match(), self.user_groups, self.gives)


def mark_of(draft: MappingDraft) -> str:
    """What tells one draft from another: the form is saved only as it was shown."""
    roles = sorted((given.role.id, given.scope.render()) for given in draft.roles)
    groups = sorted(draft.user_group_names)
    said = json.dumps([draft.connection_id, draft.match.kind, draft.match.value, groups, roles])
    return sha256(said.encode()).hexdigest()


# -- Reading the form ------------------------------------------------------------------------------------------------


def _read(visit: Visit) -> tuple[Written, Invalid | None]:
    """The form as it was sent, a role that was chosen added to the others; and what is wrong with that role."""
    how = typed("how")
    known: How = next((one for one in _HOW if one == how), "one")
    written = Written(
        connection_id=typed("connection"),
        how=known,
        group_id=typed("group"),
        external=typed("external"),
        find=typed("find"),
        name=typed("name"),
        pattern=typed("pattern"),
        user_groups=tuple(sorted(ticked("user_group"))),
        gives=_given(),
        role=typed("role"),
        picked=picked(),
    )
    return _with_role(visit, written)


def _given() -> tuple[RoleInScope, ...]:
    """The roles that the form carries; what isn't one of ours is dropped. Raises Invalid (more than it may carry)."""
    found = []
    for text in _carriable(request.form.getlist("gives")):
        try:
            role, terms = json.loads(text)
            found.append(parse_role_in_scope(str(role), [str(term) for term in terms]))
        except (ValueError, TypeError, RecursionError, Invalid, NotFound):
            continue
    return tuple(dict.fromkeys(found))


def _carriable(texts: Sequence[str]) -> Sequence[str]:
    """Roles as the form carries them. Raises Invalid rather than have any of them lost on the way."""
    if len(texts) > _MOST_ROLES or sum(map(len, texts)) > _MOST_WRITTEN:
        told = counted(len(texts), "role")
        raise Invalid(
            f"This rule gives {told}, which is more than a page can change. Change it in the workspace’s file: "
            "bridge export, bridge plan, bridge apply.",
            field="gives",
        )
    return texts


def _with_role(visit: Visit, written: Written) -> tuple[Written, Invalid | None]:
    if not written.role:
        return written, None
    try:
        role = get_role(written.role)
        scope = written.picked.scope(visit, role) if role.scopable else EVERYWHERE
    except Invalid as error:
        return written, error
    except NotFound as error:
        return replace(written, role=""), Invalid(error.text, field="role")
    gives = tuple(dict.fromkeys((*written.gives, RoleInScope(role, scope))))
    return replace(written, gives=gives, role="", picked=Picked()), None


def _of_rule(rule: MappingFacts) -> Written:
    kind, value = rule.match.kind, rule.match.value
    return Written(
        connection_id=rule.connection_id,
        how="glob" if kind == "glob" else "name" if kind == "name" else "one",
        group_id=value if kind == "id" else "",
        external=value if kind == "external_id" else "",
        name=value if kind == "name" else "",
        pattern=value if kind == "glob" else "",
        user_groups=tuple(name for _, name in rule.user_groups),
        gives=rule.roles,
    )


# -- Pages -----------------------------------------------------------------------------------------------------------


@blueprint.get("/new")
def new(slug: str) -> Response:
    """An empty form; perhaps about one group of a connection."""
    visit = enter_as_owner(slug)
    return _Form(visit, None).show(Written(connection_id=asked("connection"), group_id=asked("group")))


@blueprint.post("/new")
def create(slug: str) -> Response:
    """One of the form's buttons; `save` makes the rule."""
    return _Form(enter_as_owner(slug), None).answer()


@blueprint.get("/rules/<uuid:rule>/change")
def change(slug: str, rule: UUID) -> Response:
    """The form with what the rule says."""
    visit = enter_as_owner(slug)
    found = get_mapping(visit.context, visit.slug, str(rule))
    _carriable([_value(given) for given in found.roles])
    return _Form(visit, found).show(_of_rule(found), _Counted(panel=PreviewPanel(_TITLE, waiting=_UNCHANGED)))


@blueprint.post("/rules/<uuid:rule>/change")
def save(slug: str, rule: UUID) -> Response:
    """One of the form's buttons; `save` changes the rule."""
    visit = enter_as_owner(slug)
    return _Form(visit, get_mapping(visit.context, visit.slug, str(rule))).answer()


@dataclass(frozen=True, slots=True)
class _Counted:
    """What the preview said of the form as it is now: of all, or a page of one side; or why it says nothing."""

    found: Preview | None = None
    panel: PreviewPanel = field(default_factory=lambda: PreviewPanel(_TITLE, waiting=_WAITING))
    error: DomainError | None = None
    note: Note | None = None


@dataclass(frozen=True, slots=True)
class _Form:
    """The form of one rule; `rule` None: a new one."""

    visit: Visit
    rule: MappingFacts | None

    def answer(self) -> Response:
        """What the button that was pressed asks for."""
        do = typed("do")
        written, wrong = _read(self.visit)
        if do.startswith("drop:"):
            written = _without(written, do.removeprefix("drop:"))
        if wrong is not None:
            return self.show(written, error=wrong, quiet=do == "live")
        if do == "save":
            return self._save(written)
        if do == "csv":
            return self._download(written)
        quiet = do in ("live", "add", "find") or do.startswith("drop:")
        return self.show(written, self._count(written, do), quiet=quiet)

    def _save(self, written: Written) -> Response:
        visit, seen = self.visit, read_seen()
        try:
            draft = written.draft()
            if seen is None or typed("previewed") != mark_of(draft):
                note = Note("warn", "This isn’t what was counted. Not saved yet.", "Look at the new numbers first.")
                return self.show(written, replace(self._count(written, "preview"), note=note))
            its = (visit.context, visit.actor, visit.slug)
            if self.rule is None:
                made = add_mapping(*its, draft, visit.now, seen=seen)
            else:
                made = change_mapping(*its, self.rule.id, draft, visit.now, seen=seen)
        except Moved as moved:
            return self.show(written, replace(self._told(moved.preview), note=moved_note(moved)))
        except DomainError as error:
            return self.show(written, error=error)
        return go(visit.url("mapping.show_one", rule=made.id))

    def _download(self, written: Written) -> Response:
        try:
            return moved_csv(self.visit, self._proposal(written.draft()))
        except DomainError as error:
            return self.show(written, error=error)

    def _proposal(self, draft: MappingDraft) -> AddRule | ChangeRule:
        return AddRule(draft) if self.rule is None else ChangeRule(self.rule.id, draft)

    def _count(self, written: Written, do: str) -> _Counted:
        visit = self.visit
        try:
            proposal = self._proposal(written.draft())
            side, colon, after = do.partition(":")
            if colon and side in ("gains", "loses"):
                which: Side = "gains" if side == "gains" else "loses"
                moved = list_moved(visit.context, visit.slug, proposal, which, visit.now, after=after)
                page = page_of(visit, which, moved, do=_button, back_do="preview")
                return _Counted(panel=PreviewPanel(_TITLE, page=page))
            return self._told(preview(visit.context, visit.slug, proposal, visit.now))
        except DomainError as error:
            return _Counted(panel=PreviewPanel(_TITLE, waiting=error.text), error=error)

    def _told(self, found: Preview) -> _Counted:
        inventory = load_stock(self.visit).inventory
        return _Counted(found, panel_of(self.visit, found, inventory, title=_TITLE, do=_button))

    def show(
        self,
        written: Written,
        seen: _Counted | None = None,
        *,
        error: DomainError | None = None,
        quiet: bool = False,
    ) -> Response:
        """The form with what it would do. `quiet`: while somebody writes, what is missing is no fault yet."""
        seen = seen or _Counted()
        error = None if quiet else error or seen.error
        page = _page(self, self._about_a_connection(written), seen, error)
        return show(self.visit, "mapping_form.html", page, status=status_of(error) if error else 200)

    def _about_a_connection(self, written: Written) -> Written:
        """The first connection, where none of ours is chosen."""
        links = list_links(self.visit.context, self.visit.slug)
        if written.connection_id in [uid for uid, _ in links] or not links:
            return written
        return replace(written, connection_id=links[0][0], group_id="")


def _without(written: Written, place: str) -> Written:
    kept = [given for n, given in enumerate(written.gives) if str(n) != place]
    return replace(written, gives=tuple(kept))


def _button(side: Side, after: str) -> str:
    return f"{side}:{after}"


# -- What the page shows ---------------------------------------------------------------------------------------------


def _page(form: _Form, written: Written, seen: _Counted, error: DomainError | None) -> RuleFormPage:
    visit, rule = form.visit, form.rule
    stock, links = load_stock(visit), dict(list_links(visit.context, visit.slug))
    offered, total = _offered(visit, written) if links else ((), 0)
    taken = _taken(visit, written) if links else None
    here = visit.url("rule_form.create") if rule is None else visit.url("rule_form.save", rule=rule.id)
    named = next((one.text for one in offered if one.selected), None)
    match_errors = (error_at(error, "group"), written.how)
    return RuleFormPage(
        title="Add a rule" if rule is None else "Change a rule",
        crumbs=_crumbs(visit, rule),
        action=here,
        cancel_href=visit.url("mapping.index") if rule is None else visit.url("mapping.show_one", rule=rule.id),
        sentence=_sentence(visit, written, links, named, stock),
        connection=_connection_choice(links, written, fixed=rule is not None),
        how=_how_choice(written),
        find=Field("find", "Find the group", written.find, "search", required=False, error=_at(match_errors, "one")),
        groups=Choice("group", "Group", offered),
        more_groups=f"{total - len(offered):,} more: say a part of the name" if total > len(offered) else "",
        name=Field("name", "Name", written.name, depends=True, required=False, error=_at(match_errors, "name")),
        pattern=Field(
            "pattern", "Pattern", written.pattern, depends=True, required=False, error=_at(match_errors, "glob")
        ),
        taken=taken,
        user_groups=_user_groups(visit, written, rule),
        given=tuple(_given_role(n, given, stock) for n, given in enumerate(written.gives)),
        role=role_select(visit, written.role, none="Choose a role to add", error=error_at(error, "role")),
        scope=scope_picker(stock, None, written.picked, error_at(error, "scope")),
        panel=seen.panel,
        save=f"Save: {numbers(seen.found)}" if seen.found else None,
        carried=_carried(written, seen),
        gives_error=error_at(error, "gives"),
        note=seen.note or error_note(error, "group", "role", "scope", "gives"),
    )


def _at(errors: tuple[str | None, How], how: How) -> str | None:
    text, chosen = errors
    return text if chosen == how else None


def _carried(written: Written, seen: _Counted) -> tuple[tuple[str, str], ...]:
    external = (("external", written.external),) if written.external else ()
    if seen.found is None:
        return external
    return (*external, ("seen", seen.found.seen.render()), ("previewed", mark_of(written.draft())))


def _crumbs(visit: Visit, rule: MappingFacts | None) -> tuple[Link, ...]:
    mapping = Link("Group mapping", visit.url("mapping.index"))
    return (mapping,) if rule is None else (mapping, Link("Rule", visit.url("mapping.show_one", rule=rule.id)))


def _sentence(
    visit: Visit, written: Written, links: dict[str, str], named: str | None, stock: Stock
) -> tuple[RulePart, ...]:
    try:
        match = written.match()
    except Invalid:
        return (RulePart("Say which groups, and what their people get. You see who gains what before you save."),)
    ids = {name: uid for uid, name in list_open_user_groups(visit.context, visit.slug).items()}
    groups = [(ids[name], name) for name in written.user_groups if name in ids]
    who = who_part(links.get(written.connection_id, "IdP"), match, named)
    if not groups and not written.gives:
        return (*who, RulePart("get …"))
    return (*who, *gives_part(visit, groups, written.gives, stock.inventory))


def _connection_choice(links: dict[str, str], written: Written, *, fixed: bool) -> Choice:
    options = tuple(
        Option(uid, name, selected=uid == written.connection_id)
        for uid, name in links.items()
        if not fixed or uid == written.connection_id
    )
    return Choice("connection", "Groups of", options, help="A rule stays with its connection." if fixed else None)


def _how_choice(written: Written) -> Choice:
    options = tuple(Option(how, text, how == written.how, help=about) for how, (text, about) in _HOW.items())
    return Choice("how", "Which groups", options)


def _offered(visit: Visit, written: Written) -> tuple[tuple[Option, ...], int]:
    its = (visit.context, visit.slug, written.connection_id, written.find, written.group_id, visit.now)
    found, total = offer_groups(*its)
    options = tuple(
        Option(
            one.id,
            one.name,
            selected=one.id == written.group_id,
            help=counted(one.members, "person", "people") + (", named at sign-ins" if one.source == "asserted" else ""),
        )
        for one in found
    )
    return options, total


def _taken(visit: Visit, written: Written) -> TakenGroups | None:
    if written.how == "one":
        return None
    try:
        match = written.match()
    except Invalid:
        return None
    found = taken_now(visit.context, visit.slug, written.connection_id, match, visit.now)
    return TakenGroups(_matches(found), tuple(_taken_chips(found)), _later(written))


def _matches(found: TakenNow) -> str:
    if not found.total:
        return "Matches no group now."
    return f"Matches {counted(found.total, 'group')} now, {counted(found.people, 'person', 'people')}:"


def _taken_chips(found: TakenNow) -> list[Chip]:
    chips = [Chip("idp", f"{one.name} {one.people:,}") for one in found.groups]
    more = found.total - len(found.groups)
    return [*chips, *([Chip("idp", f"{more:,} more")] if more else [])]


def _later(written: Written) -> str:
    return "A group that is made later and fits gets this too." if written.how == "glob" else ""


def _user_groups(visit: Visit, written: Written, rule: MappingFacts | None) -> Choice:
    names = list(list_open_user_groups(visit.context, visit.slug).values())
    own = [name for _, name in rule.user_groups if name not in names] if rule else []
    options = tuple(Option(name, name, selected=name in written.user_groups) for name in [*own, *names])
    return Choice("user_group", "They join", options)


def _given_role(place: int, given: RoleInScope, stock: Stock) -> GivenRole:
    return GivenRole(tuple(role_part(given, stock.inventory)), _value(given), given.role.name, f"drop:{place}")


def _value(given: RoleInScope) -> str:
    """A role as the form carries it."""
    return json.dumps([given.role.id, _terms(given.scope)])


def _terms(scope: Scope) -> Sequence[str]:
    return scope.render()
