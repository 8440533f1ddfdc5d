"""Whether somebody is in, and which IdP says so."""

from bridge.domain.members import Member
from bridge.web.pages.views import Status


def standing(member: Member) -> Status:
    """The state of a member, with the IdP behind it."""
    if member.status == "removed":
        return Status("off", "Removed")
    if member.status == "suspended":
        holding = held_by(member)
        return Status("off", f"Suspended by {holding[0]}" if holding else "Suspended")
    pushing = [one.connection for one in member.records if one.pushed and one.active]
    return Status("ok", f"Active in {pushing[0]}" if pushing else "Active")


def held_by(member: Member) -> list[str]:
    """The connections whose IdP holds somebody out."""
    return [one.connection for one in member.records if one.holds_out]


def pushed_by(member: Member) -> list[str]:
    """The connections whose IdP pushes somebody."""
    return [one.connection for one in member.records if one.pushed]
