"""Cookies, and where a browser goes next."""

from typing import Any

from flask import make_response, redirect, render_template, request
from werkzeug.wrappers import Response

from simulated.openid_provider.grants import Waiting
from simulated.twilio.accounts import Account
from simulated.twilio.errors import Expired
from simulated.twilio.sessions import SESSION_SECONDS, STEP_SECONDS, Kind, Step
from simulated.twilio.site import SESSION_COOKIE, STEP_COOKIE, Site


def find_waiting(site: Site) -> Waiting | None:
    """The request of a client that the present page goes on with: it is named in the page's address or form."""
    return site.provider.grants.find_waiting(request.values.get("continue", ""))


def begin_session(site: Site, account: Account, amr: tuple[str, ...], waiting_id: str) -> Response:
    """Logs the person in, and on to what was asked for.

    A session of the same person in this browser goes on under its name, so that no product signs them out; one of
    somebody else ends.
    """
    before = site.find_session()
    same = before.sid if before and before.account_id == account.id else None
    if before and not same:
        site.end_sessions([before.sid])
    device, address = request.headers.get("User-Agent", ""), request.remote_addr or ""
    secret = site.sessions.begin(account.id, amr, device, address, same)
    answer = go_on(site, waiting_id)
    _set_cookie(site, answer, SESSION_COOKIE, secret, SESSION_SECONDS)
    answer.delete_cookie(STEP_COOKIE)
    return answer


def go_on(site: Site, waiting_id: str) -> Response:
    """To the client that waits, or to the Console.

    By a page, not by a redirect: browsers hold a form to its page's policy through all redirects after it, and where a
    client leads to from here is its own affair.
    """
    waiting = site.provider.grants.find_waiting(waiting_id)
    if waiting is None:
        return redirect("/console", 303)
    client = site.provider.clients.find(waiting.client_id)
    return make_response(render_template("going_on.html", path=waiting.path, client=client))


def begin_step(site: Site, step: Step, path: str) -> Response:
    """To the next page, whose step the browser's cookie remembers."""
    return remember_step(site, step, redirect(path, 303))


def remember_step(site: Site, step: Step, answer: Response) -> Response:
    """Sends a step's cookie along."""
    _set_cookie(site, answer, STEP_COOKIE, site.sessions.step(step), STEP_SECONDS)
    return answer


def get_step(site: Site, kind: Kind) -> Step:
    """The step that this browser is at. Raises Expired."""
    step = site.sessions.find_step(request.cookies.get(STEP_COOKIE), kind)
    if step is None:
        raise Expired("This page waited too long, or was finished in another tab. Start again.")
    return step


def amend_step(site: Site, /, **more: Any) -> None:
    """Adds to what the browser's step brought."""
    site.sessions.amend(request.cookies.get(STEP_COOKIE, ""), **more)


def take_step(site: Site) -> None:
    """The browser's step is done. Raises Expired when it was done meanwhile."""
    if not site.sessions.take_step(request.cookies.get(STEP_COOKIE)):
        raise Expired("This page was finished in another tab. Start again.")


def _set_cookie(site: Site, answer: Response, name: str, value: str, seconds: int) -> None:
    secure = site.public_url.startswith("https:")
    answer.set_cookie(name, value, max_age=seconds, httponly=True, samesite="Lax", secure=secure)
