"""What lies outside of Twilio and can only be pretended: the mailbox and the phone. And behind the scenes: what clients
were told, and the log of requests. Whoever runs the demo may look; nobody here is real."""

from flask import Blueprint, render_template

from simulated.twilio.site import this_site

blueprint = Blueprint("outside", __name__, url_prefix="/simulated")


@blueprint.get("/inbox")
def inbox() -> str:
    """All mail."""
    return render_template("inbox.html", mails=this_site().messages.latest("mail"))


@blueprint.get("/phone")
def phone() -> str:
    """All SMS."""
    return render_template("phone.html", texts=this_site().messages.latest("sms"))


@blueprint.get("/deliveries")
def deliveries() -> str:
    """What clients were told, and how they took it."""
    return render_template("deliveries.html", notices=this_site().provider.outbox.latest())


@blueprint.get("/requests")
def requests() -> str:
    """The log of requests."""
    return render_template("requests.html", lines=this_site().request_log.latest())
