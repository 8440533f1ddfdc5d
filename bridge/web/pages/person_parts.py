"""What pages of one person share: who may look, the way down to them, their addresses."""

from uuid import UUID

from bridge.domain.errors import Forbidden
from bridge.domain.members import Member, PersonDetails
from bridge.flows.members import get_person
from bridge.web.pages.frame import Visit, ask_owners, crumbs, enter
from bridge.web.pages.views import Link


def look(slug: str, member: UUID) -> tuple[Visit, PersonDetails]:
    """The visit and the person: anybody for an owner, oneself for others. Raises Forbidden, NotFound."""
    visit = enter(slug)
    if not visit.is_owner and not visit.is_self(str(member)):
        raise Forbidden(f"Only Workspace Owners see what others may do. {ask_owners(visit)}")
    return visit, get_person(visit.context, visit.slug, str(member), visit.now)


def change(slug: str, member: UUID) -> tuple[Visit, PersonDetails]:
    """The same, to change something: owners only. Raises Forbidden, NotFound."""
    visit = enter(slug)
    if not visit.is_owner:
        raise Forbidden(f"Only Workspace Owners can change what people may do. {ask_owners(visit)}")
    return visit, get_person(visit.context, visit.slug, str(member), visit.now)


def crumbs_to(visit: Visit, member: Member | None = None) -> tuple[Link, ...]:
    """The way down to a person's page; with `member`, to what lies below it."""
    users = Link("Users", visit.url("users.index"))
    own = (Link(member.name, href(visit, member)),) if member else ()
    return crumbs(visit, users, *own)


def href(visit: Visit, member: Member, endpoint: str = "person.access") -> str:
    """The path of one of their pages."""
    return visit.url(endpoint, member=member.id)
