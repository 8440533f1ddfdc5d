"""The web application: wires the parts, guards every request, turns errors into pages. Nothing else."""

import time
from datetime import UTC, datetime

from flask import Flask, Response, g, jsonify, render_template, request
from flask_wtf.csrf import CSRFError, CSRFProtect
from werkzeug.exceptions import HTTPException
from werkzeug.wrappers import Response as AnyResponse

from simulated.guarding import content_policy, harden, refuse_strangers
from simulated.openid_provider import endpoints
from simulated.openid_provider.clients import origin_of
from simulated.twilio import console_pages, login_pages, outside_pages, sign_up_pages
from simulated.twilio.console_pages import switchable
from simulated.twilio.errors import Expired, GoogleRefused, Invalid, TooManyTries, TwilioError
from simulated.twilio.sessions import describe_device
from simulated.twilio.site import EXTENSION, FORM_COOKIE, PRODUCTS, Site, this_site

LARGEST_BODY = 64 * 1024
STATUS: dict[type[Exception], int] = {Invalid: 422, Expired: 410, TooManyTries: 429, GoogleRefused: 403}


def create_app(site: Site) -> Flask:
    """The application of one site."""
    app = Flask("simulated.twilio")
    app.config.update(
        MAX_CONTENT_LENGTH=LARGEST_BODY,
        SECRET_KEY=site.form_key,
        SESSION_COOKIE_NAME=FORM_COOKIE,
        SESSION_COOKIE_SAMESITE="Lax",
        WTF_CSRF_TIME_LIMIT=None,
    )
    app.extensions[EXTENSION] = site
    app.before_request(_guard)
    app.after_request(_harden)
    app.after_request(_log)
    app.register_error_handler(TwilioError, _show_error)
    app.register_error_handler(CSRFError, _show_forged)
    app.register_error_handler(HTTPException, _show_http_error)
    app.context_processor(_for_every_page)
    app.add_template_filter(_when, "when")
    app.add_template_filter(describe_device, "device")
    for pages in (login_pages, sign_up_pages, console_pages, outside_pages):
        app.register_blueprint(pages.blueprint)
    endpoints.add_to(app, site.provider)
    _protect(app)
    app.add_url_rule("/healthz", view_func=_healthz)
    return app


def _protect(app: Flask) -> None:
    """Every form carries a token, but those that other programs send, which carry proofs of their own."""
    csrf = CSRFProtect(app)
    for view in (endpoints.authorize, endpoints.token, endpoints.userinfo, endpoints.logout):
        csrf.exempt(view)


def _for_every_page() -> dict[str, object]:
    site = this_site()
    return {
        "google": site.google,
        "switchable": switchable(site),
        "own_products": PRODUCTS,
        "client_of": lambda waiting: site.provider.clients.find(waiting.client_id),
    }


def _when(seconds: int) -> str:
    return datetime.fromtimestamp(seconds, UTC).strftime("%-d %b %Y, %H:%M UTC")


def _healthz() -> Response:
    return jsonify(status="ok")


def _guard() -> tuple[str, int] | None:
    g.began = time.perf_counter()
    session = this_site().find_session()
    g.account_id = session.account_id if session else None
    return refuse_strangers(this_site().public_url, endpoints.OPEN_TO_OTHERS)


def _harden(response: Response) -> Response:
    site = this_site()
    origins = {origin for client in site.provider.clients.all() for origin in client.origins}
    origins |= {origin_of(site.google.issuer)} if site.google else set()
    return harden(response, content_policy(" ".join(["'self'", *sorted(origins)])))


def _log(response: Response) -> Response:
    """Routes as declared and names of fields: nothing here is a secret (`request_log`)."""
    if request.path.startswith("/static/"):
        return response
    site = this_site()
    form = request.form if response.status_code != 413 else {}  # what is too large isn't read now, either
    asked = form.get("client_id") or request.args.get("client_id")
    named = asked or (request.authorization.username if request.authorization else None)
    client = site.provider.clients.find(named) if named else None
    line = {
        "at": datetime.fromtimestamp(site.clock(), UTC).isoformat(timespec="milliseconds"),
        "method": request.method,
        "route": request.url_rule.rule if request.url_rule else None,
        "status": response.status_code,
        "fields": sorted({name[:40] for name, value in form.items() if value} - {"csrf_token"})[:20],
        "client": client.client_id if client else None,
        "account": g.get("account_id"),
        "milliseconds": round((time.perf_counter() - g.began) * 1000, 1),
    }
    site.request_log.write(line)
    return response


def _show_error(error: TwilioError) -> tuple[str, int]:
    status = next(code for kind, code in STATUS.items() if isinstance(error, kind))
    return render_template("error.html", title="That didn’t work", message=str(error)), status


def _show_forged(_error: CSRFError) -> tuple[str, int]:
    message = "This form is too old, or wasn’t one of ours. Go back, load the page again, and send it once more."
    return render_template("error.html", title="That didn’t work", message=message), 400


def _show_http_error(error: HTTPException) -> tuple[str, int] | AnyResponse:
    if error.code is None or error.code < 400 or request.path.startswith("/oauth2/"):
        return error.get_response()
    return render_template("error.html", title=error.name, message=error.description or ""), error.code
