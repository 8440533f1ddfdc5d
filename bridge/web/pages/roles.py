"""`/w/<slug>/roles`: what each role gives, where it can apply, whom it is for, and how many have it."""

from flask import Blueprint, Response

from bridge.domain.roles import Role
from bridge.domain.sentences import describe_role, for_whom, role_areas, role_scopes
from bridge.flows.overview import count_holders
from bridge.web.pages.frame import Visit, access_tabs, enter, show
from bridge.web.pages.given_roles import plan_note
from bridge.web.pages.views import RoleArea, RoleCard, RolesPage

blueprint = Blueprint("roles", __name__, url_prefix="/w/<slug>/roles")


@blueprint.get("")
def index(slug: str) -> Response:
    """The whole catalogue by areas, for every member to read."""
    visit = enter(slug)
    held = count_holders(visit.context, visit.slug, visit.now)
    areas = tuple(
        RoleArea(title, tuple(_card(visit, role, held.get(role.id, 0)) for role in roles))
        for title, roles in role_areas()
    )
    return show(visit, "roles.html", RolesPage(access_tabs(visit, "Roles"), areas))


def _card(visit: Visit, role: Role, people: int) -> RoleCard:
    return RoleCard(
        name=role.name,
        text=role.text,
        gives=describe_role(role),
        for_whom=for_whom(role),
        scope=role_scopes(role),
        people=people,
        people_href=visit.url("users.index", role=role.id) if people and visit.is_owner else None,
        plan_note=plan_note(visit, role),
    )
