"""What each role gives."""

from dataclasses import dataclass

from bridge.web.pages.views.parts import Tab


@dataclass(frozen=True, slots=True)
class RoleCard:
    """A role: what it gives, sentence by sentence, whom it is for, where it can apply, how many hold it."""

    name: str
    text: str
    gives: tuple[str, ...]
    for_whom: str
    scope: str
    people: int
    people_href: str | None = None
    plan_note: str | None = None


@dataclass(frozen=True, slots=True)
class RoleArea:
    """The roles of one area of the product, e.g. Sources."""

    title: str
    roles: tuple[RoleCard, ...]


@dataclass(frozen=True, slots=True)
class RolesPage:
    """`roles.html`: reads what each role gives."""

    tabs: tuple[Tab, ...]
    areas: tuple[RoleArea, ...]
