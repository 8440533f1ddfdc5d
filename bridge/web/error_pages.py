"""What people are told when something is refused, or goes wrong: one table, and the pages it leads to.

A page never says more than the refusal's own safe text; what was unexpected is logged under the reference it shows.
"""

import logging

from flask import Flask, Response
from flask_wtf.csrf import CSRFError
from werkzeug.exceptions import HTTPException

from bridge.domain import errors
from bridge.flows.health import AWAY_FOR, is_away
from bridge.flows.sign_in_log import new_reference
from bridge.web.pages.bare import render_bare
from bridge.web.pages.views import ErrorPage, Link
from bridge.web.statuses import status_of

log = logging.getLogger(__name__)

_TITLES = {
    400: ("Not understood", "The bridge can’t read this request"),
    403: ("Not allowed", "This isn’t open to you"),
    404: ("Not found", "There is nothing at this address"),
    405: ("Not found", "Nothing can be done this way at this address"),
    409: ("Not done", "That can’t be done now"),
    410: ("Expired", "This link works no longer"),
    413: ("Too large", "That is more than the bridge takes"),
    422: ("Not understood", "Something in this form needs another value"),
    429: ("Too many tries", "Please wait a moment"),
    503: ("Not now", "The bridge can’t work at this moment"),
}
_TEXTS = {
    400: "It was cut off or changed on its way. Go back and try again.",
    404: "The address may have a typing error, or what was here is gone.",
    405: "Follow a link or use the page’s own buttons.",
    413: "Send less at once.",
    503: "Its database doesn’t answer. Try again in a few seconds.",
}
_START = Link("Go to the start page", "/")


def install(app: Flask) -> None:
    """Turn every error of the app into a page, where a blueprint doesn't speak for itself."""
    app.register_error_handler(CSRFError, _expired_form)
    app.register_error_handler(HTTPException, _http_error)
    app.register_error_handler(errors.DomainError, domain_error)
    app.register_error_handler(Exception, _unexpected)


def domain_error(error: errors.DomainError) -> Response:
    """The page of a refusal."""
    response = error_page(status_of(error), error.text)
    if isinstance(error, errors.TooManyTries):
        response.headers["Retry-After"] = str(error.retry_after)
    return response


def error_page(status: int, text: str | None = None, reference: str | None = None) -> Response:
    """A page that says what happened and leads back."""
    kicker, title = _TITLES.get(status, ("Not done", "That didn’t work"))
    words = text or _TEXTS.get(status, "Go back and try again.")
    return render_bare("error.html", ErrorPage(status, kicker, title, words, (_START,), reference), status)


def _expired_form(error: CSRFError) -> Response:
    return error_page(400, "The page was open for too long, or cookies are switched off. Go back, reload, try again.")


def _http_error(error: HTTPException) -> Response:
    if error.code is None or error.code >= 500:
        return _unexpected(error)
    response = error_page(error.code)
    # What the status demands beside a page: Allow, Retry-After.
    for name, value in error.get_headers():
        if name not in ("Content-Type", "Content-Length"):
            response.headers[name] = value
    return response


def _unexpected(error: Exception) -> Response:
    if is_away(error):
        log.error("the database is away: %s", error)
        response = error_page(503)
        response.headers["Retry-After"] = str(AWAY_FOR)
        return response
    reference = new_reference()
    log.exception("unexpected, told as %s", reference, exc_info=error)
    page = ErrorPage(
        500,
        "Our fault",
        "Something went wrong here",
        "It is written down. Try again in a moment.",
        (_START,),
        reference,
    )
    return render_bare("error.html", page, 500)
