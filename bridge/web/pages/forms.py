"""Parts of forms that several pages have, shown and read back: which role, and where it applies."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal, NoReturn, cast

from flask import request

from bridge.domain.access import Scope, parse_scope
from bridge.domain.errors import DomainError, Invalid
from bridge.domain.labels import Label
from bridge.domain.roles import RESOURCE_TYPES, ROLES, Role, in_plan
from bridge.domain.sentences import Inventory, counted, describe_all, listed, role_areas
from bridge.flows.resources import list_labels, list_resources
from bridge.web.pages.frame import Visit
from bridge.web.pages.views import Choice, Note, Option, OptionGroup, ScopePicker

Way = Literal["all", "listed", "labels"]
LAST_PAGE = 100_000
_LONGEST_LINE, _LONGEST_TEXT, _LONGEST_KEY = 500, 50_000, 18


# -- What was typed ----------------------------------------------------------------------------------


def typed(name: str, longest: int = _LONGEST_LINE) -> str:
    """What was typed into one field, without what can't be printed (which no database has to meet)."""
    return _printable(request.values.get(name, ""))[:longest].strip()


def typed_text(name: str, longest: int) -> str:
    """A block of text as it was typed, with its lines, without what else can't be printed."""
    text = request.form.get(name, "")[:longest].replace("\r\n", "\n").replace("\t", " ")
    return "\n".join(map(_printable, text.split("\n"))).strip()


def asked(name: str) -> str:
    """What the address asks for by this name, cleaned in the same way."""
    return _printable(request.args.get(name, ""))[:_LONGEST_LINE].strip()


def asked_key(name: str) -> int:
    """The key that the address says a page begins after; 0 where that is none."""
    text = asked(name)
    return int(text) if text.isascii() and text.isdecimal() and len(text) < _LONGEST_KEY else 0


def typed_lines(name: str) -> tuple[str, ...]:
    """What was typed into a block of text, parted at line ends, commas, semicolons and spaces."""
    return parted(request.form.get(name, ""))


def parted(text: str) -> tuple[str, ...]:
    """A text's parts between line ends, commas, semicolons and spaces."""
    text = text[:_LONGEST_TEXT]
    for mark in ",;":
        text = text.replace(mark, " ")
    return tuple(part for part in map(_printable, text.split()) if part)


def ticked(name: str) -> frozenset[str]:
    """The boxes of this name that were ticked."""
    return frozenset(_printable(value)[:_LONGEST_LINE] for value in request.form.getlist(name))


def typed_page() -> int:
    """The page that is asked for; the first, where that is no number."""
    text = request.args.get("page", "")
    return min(max(int(text), 1), LAST_PAGE) if text.isdecimal() and len(text) < 10 else 1


def _printable(text: str) -> str:
    return "".join(character for character in text if character.isprintable())


# -- What was wrong ----------------------------------------------------------------------------------


def error_at(error: DomainError | None, *fields: str) -> str | None:
    """The refusal's words, where they are about one of these fields."""
    return error.text if error is not None and getattr(error, "field", None) in fields else None


def error_note(error: DomainError | None, *fields: str) -> Note | None:
    """The refusal as a note, where it is about none of these fields, which say it themselves."""
    if error is None or error_at(error, *fields):
        return None
    return Note("bad", "Not done", error.text, urgent=True)


# -- Where a role applies ----------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Stock:
    """What a scope can name in a workspace: its resources, and its labels with how many carry each."""

    inventory: Inventory = field(default_factory=Inventory)
    labels: Mapping[Label, int] = field(default_factory=dict)


def load_inventory(visit: Visit) -> Inventory:
    """The workspace's resources."""
    return Inventory(list_resources(visit.context, visit.slug))


def load_stock(visit: Visit) -> Stock:
    """The workspace's resources and labels."""
    return Stock(load_inventory(visit), list_labels(visit.context, visit.slug))


@dataclass(frozen=True, slots=True)
class Picked:
    """How a scope picker was left, right or wrong: resources as `TYPE:ID`, labels as `key:value`."""

    way: Way = "all"
    resources: frozenset[str] = frozenset()
    labels: frozenset[str] = frozenset()

    def scope(self, visit: Visit, role: Role) -> Scope:
        """The scope it names. Raises Invalid, about the field `scope`."""
        terms = self._terms()
        if self.way == "listed" and role.resource_type:
            self._check_kind(visit, role, RESOURCE_TYPES[role.resource_type][1])
        try:
            return parse_scope(terms, role)
        except Invalid as error:
            raise Invalid(error.text, field="scope") from error

    def _check_kind(self, visit: Visit, role: Role, plural: str) -> None:
        """Say by their names which resources the role doesn't go with: the form lists those of every type."""
        resources = load_inventory(visit).resources
        wrong = [one for one in resources if str(one.ref) in self.resources and one.ref.type != role.resource_type]
        if wrong:
            names = listed([f"the {RESOURCE_TYPES[one.ref.type][0]} {one.name}" for one in wrong], last="or")
            self._refuse(f"{role.name} holds on {plural}, not on {names}.")

    def _terms(self) -> list[str]:
        if self.way == "listed":
            return sorted(self.resources) or self._refuse("Choose at least one resource, or all of them.")
        if self.way == "labels":
            return sorted(f"label:{label}" for label in self.labels) or self._refuse("Choose at least one label.")
        return ["all"]

    @staticmethod
    def _refuse(text: str) -> NoReturn:
        raise Invalid(text, field="scope")


def picked() -> Picked:
    """The scope picker of the form that was sent."""
    way = request.form.get("scope", "all")
    known = cast("Way", way) if way in ("all", "listed", "labels") else "all"
    return Picked(known, ticked("resource"), ticked("label"))


def picked_of(scope: Scope) -> Picked:
    """A picker that stands at this scope."""
    ways: dict[str, Way] = {"all": "all", "list": "listed", "labels": "labels"}
    return Picked(ways[scope.kind], frozenset(map(str, scope.resources)), frozenset(map(str, scope.labels)))


def scope_picker(
    stock: Stock, role: Role | None = None, left_at: Picked | None = None, error: str | None = None
) -> ScopePicker:
    """The picker for one role's resources; without a role, for those of every type."""
    left_at = left_at or Picked()
    kinds = [role.resource_type] if role and role.resource_type else list(RESOURCE_TYPES)
    wide = {"all_text": describe_all(role, stock.inventory)} if role else {}
    return ScopePicker(
        chosen=left_at.way,
        resources=_resource_options(stock.inventory, kinds, left_at.resources),
        labels=_label_options(stock, role, left_at.labels),
        error=error,
        **wide,
    )


def _resource_options(inventory: Inventory, kinds: list[str], chosen: frozenset[str]) -> tuple[OptionGroup, ...]:
    groups = []
    for kind in kinds:
        options = tuple(
            Option(str(one.ref), one.name, selected=str(one.ref) in chosen) for one in inventory.of_type(kind)
        )
        if options:
            groups.append(OptionGroup(RESOURCE_TYPES[kind][1].capitalize(), options))
    return tuple(groups)


def _label_options(stock: Stock, role: Role | None, chosen: frozenset[str]) -> tuple[Option, ...]:
    if role is None or role.resource_type is None:
        carried = {label: counted(count, "resource") for label, count in stock.labels.items()}
    else:
        own, words = stock.inventory.of_type(role.resource_type), RESOURCE_TYPES[role.resource_type]
        carried = {label: counted(sum(label in one.labels for one in own), *words) for label in stock.labels}
    return tuple(
        Option(str(label), str(label), selected=str(label) in chosen, help=text) for label, text in carried.items()
    )


# -- Which role --------------------------------------------------------------------------------------


def role_select(visit: Visit, chosen: str, *, none: str | None = None, error: str | None = None) -> Choice:
    """All roles as one select; `none` is the text of choosing none."""
    first = (Option("", none, selected=not chosen),) if none else ()
    roles = tuple(_role_option(visit, role, selected=role.id == chosen) for role in ROLES)
    return Choice("role", "Role", (*first, *roles), error=error)


def role_groups(visit: Visit) -> tuple[OptionGroup, ...]:
    """All roles by area, with what each is."""
    return tuple(
        OptionGroup(title, tuple(_role_option(visit, role) for role in roles)) for title, roles in role_areas()
    )


def _role_option(visit: Visit, role: Role, *, selected: bool = False) -> Option:
    missing = None if in_plan(role, visit.workspace.plan) else "Needs the business plan"
    return Option(role.id, role.name, selected=selected, help=role.text, unavailable=missing)
