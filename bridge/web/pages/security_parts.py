"""What the pages about a workspace's security share."""

from flask import Response

from bridge.web.pages.frame import Visit, show
from bridge.web.pages.views import ConfirmPage, Consequence, Link


def ask_at_security(
    visit: Visit, title: str, action: str, button: str, consequences: tuple[Consequence, ...]
) -> Response:
    """What a change means, before it is made."""
    page = ConfirmPage(
        title=title,
        crumbs=(Link("Security", visit.url("security.index")),),
        action=action,
        button=button,
        consequences=consequences,
        cancel_href=visit.url("security.index"),
        keep="Leave it as it is",
    )
    return show(visit, "confirm.html", page)
