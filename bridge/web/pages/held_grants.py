"""A grant in a list of a workspace's: who has it, which role it is, and where it holds."""

from bridge.domain.access import HeldGrant
from bridge.web.pages.frame import Visit
from bridge.web.pages.views import HeldRow

_KINDS = {"membership": "Member", "user_group": "User Group", "mapping": "Rule", "token": "Token"}


def held_row(visit: Visit, one: HeldGrant) -> HeldRow:
    """Its line; the name leads to who has it."""
    scope = one.given.scope
    where = tuple(term.removeprefix("label:") for term in scope.render()) if scope.kind != "all" else ()
    return HeldRow(one.holder, _KINDS[one.kind], _href(visit, one), one.given.role.name, where)


def _href(visit: Visit, one: HeldGrant) -> str:
    if one.kind == "membership":
        return visit.url("person.access", member=one.holder_id)
    if one.kind == "user_group":
        return visit.url("user_groups.show_roles", group=one.holder_id)
    if one.kind == "mapping":
        return visit.url("mapping.show_one", rule=one.holder_id)
    return visit.url("tokens.index", selected=one.holder_id)
