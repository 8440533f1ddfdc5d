"""What every login at an OpenID provider has in common, a connection's and Twilio's: how one begins, also where the
provider begins it, and how a refused one is told.
"""

import secrets
import time
from datetime import datetime, timedelta
from urllib.parse import urlencode, urlsplit

from flask import Blueprint, Response, request
from werkzeug.exceptions import BadRequest

from bridge.domain.errors import Crowded, OutsideFailed
from bridge.domain.sign_in_refusals import SignInRefused
from bridge.flows.bearer_secrets import new_secret
from bridge.flows.login_requests import Keepsake
from bridge.flows.oidc_login import Clock, Party, ProviderFailed
from bridge.web import refusals
from bridge.web.cookies import browser_secret, keep_browser, keep_login
from bridge.web.current import current_context
from bridge.web.pages.bare import render_bare
from bridge.web.pages.views import WaitingPage
from bridge.web.refusals import refused_page
from bridge.web.return_path import HOME, go, safe_path
from oidc import errors

_TITLE = "The answer of your identity provider was refused"
_NOT_READ = (errors.MalformedAnswer, errors.MissingState, errors.MissingCode)
_LONGEST_HINT = 320
_MOMENTS = (1, 2, 3)  # seconds, one of them: those who came together don't come again together
_INITIATING = ("iss", "login_hint", "target_link_uri")


class NotFromHere(SignInRefused):
    """A login that begins at the provider, which the connection doesn't allow, or that leads elsewhere."""

    code = "not_from_here"
    title = "Please start at the bridge"


def install(blueprint: Blueprint) -> None:
    """Tell whatever is refused there as a refused login."""
    refusals.install(blueprint)
    blueprint.register_error_handler(errors.OidcError, _refuse)
    blueprint.register_error_handler(ProviderFailed, _refuse_silence)
    blueprint.register_error_handler(OutsideFailed, _refuse_crowd)
    blueprint.register_error_handler(Crowded, _come_again)


def _refuse(error: errors.OidcError) -> Response:
    """An answer that isn't accepted, with the reason an admin can act on."""
    status = 400 if isinstance(error, _NOT_READ) else 403
    said = error.description if isinstance(error, errors.ProviderSaidNo) else None
    logged = f"{error.text} It said: {said}" if said else None
    return refused_page(error.code, _TITLE, error.text, status, logged=logged, check=getattr(error, "check", ""))


def _refuse_silence(error: ProviderFailed) -> Response:
    """A provider that is dead, slow, or talks nonsense: what exactly, is for its admin."""
    return refused_page(error.code, error.title, error.text, 403, logged=f"{error.text} {error.why}")


def _refuse_crowd(error: OutsideFailed) -> Response:
    """No turn to ask the provider."""
    response = refused_page(error.code, "Please try again in a moment", error.text, 429)
    response.headers["Retry-After"] = "5"
    return response


def _come_again(_error: Crowded) -> Response:
    """Nothing was begun yet: the browser comes with the same answer once more, and no thread waits meanwhile."""
    response = render_bare("waiting.html", WaitingPage(request.full_path.rstrip("?")), 429)
    response.headers["Refresh"] = response.headers["Retry-After"] = str(secrets.choice(_MOMENTS))
    return response


# -- How it begins -----------------------------------------------------------------------------------


def asked_hint() -> str | None:
    """Whom the provider should offer to sign in, where the link says so."""
    hint = request.args.get("login_hint", "")
    return hint if hint and len(hint) <= _LONGEST_HINT and hint.isprintable() else None


def send_away(url: str, keepsake: Keepsake) -> Response:
    """To the provider; the browser keeps that it was this one."""
    response = go(url, 302)
    keep_login(response, keepsake)
    keep_browser(response, browser_secret() or new_secret())
    return response


def is_initiated() -> bool:
    """Whether the provider, or somebody else, sends the browser here (OpenID Connect Core 4)."""
    return "iss" in request.args or "target_link_uri" in request.args


def begin_by_get(address: str) -> Response:
    """The same where it begins by POST: by a GET of ours, which brings our cookie."""
    asked = {name: request.form[name] for name in _INITIATING if name in request.form}
    if "iss" not in asked:
        raise BadRequest
    return go(f"{address}?{urlencode(asked)}")


def asked_by(ours: Party) -> str:
    """The path where a login leads that this provider began. Raises NotFromHere."""
    if request.args.get("iss") != ours.provider.issuer:
        raise NotFromHere(f"This sign-in was begun by another provider than {ours.name}.")
    target = request.args.get("target_link_uri")
    return _path_here(target) if target else HOME


def _path_here(target: str) -> str:
    """The path of an address of this site; no other is gone to (Core 4: no open redirector)."""
    own = current_context().public_url
    try:
        parts = urlsplit(target)
    except ValueError:
        raise NotFromHere("The address that this sign-in should lead to is none.") from None
    if f"{parts.scheme}://{parts.netloc}" != own or "\\" in target:
        raise NotFromHere("This sign-in should lead to another site, which isn’t gone to.")
    return safe_path(target[len(own) :])


def ticking(now: datetime) -> Clock:
    """What the time is while the provider answers, by the request's own clock."""
    began = time.monotonic()
    return lambda: now + timedelta(seconds=time.monotonic() - began)
