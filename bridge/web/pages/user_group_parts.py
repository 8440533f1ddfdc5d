"""What pages of one User Group share: who may look, the way down to them, their addresses."""

from uuid import UUID

from bridge.domain.members import UserGroup
from bridge.flows import user_groups
from bridge.web.pages.frame import Visit, crumbs, enter_as_owner
from bridge.web.pages.views import Link

#: How many roles a sentence names before it counts the rest.
MOST_ROLES_NAMED = 4


def enter_group(slug: str, group: UUID) -> tuple[Visit, UserGroup]:
    """The owner's visit and the User Group. Raises Forbidden, NotFound."""
    visit = enter_as_owner(slug)
    return visit, user_groups.get_user_group(visit.context, visit.slug, str(group), visit.now)


def href(visit: Visit, group: UserGroup, endpoint: str = "user_groups.show_roles") -> str:
    """The path of one of its pages."""
    return visit.url(endpoint, group=group.id)


def crumbs_to(visit: Visit, group: UserGroup | None = None) -> tuple[Link, ...]:
    """The way down to a User Group's page; with `group`, to what lies below it."""
    own = (Link(group.name, href(visit, group)),) if group else ()
    return crumbs(visit, Link("User Groups", visit.url("user_groups.index")), *own)
