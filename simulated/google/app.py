"""The web application: the chooser of accounts, and the door.

GET, POST /choose   every account; a click logs in as that one
POST /add           a new account, logged in at once
"""

from email_validator import EmailNotValidError, validate_email
from flask import Flask, Response, abort, jsonify, make_response, redirect, render_template, request
from flask_wtf.csrf import CSRFProtect
from werkzeug.exceptions import HTTPException
from werkzeug.wrappers import Response as AnyResponse

from simulated.google.accounts import SESSION_SECONDS
from simulated.google.site import EXTENSION, FORM_COOKIE, SESSION_COOKIE, Site, this_site
from simulated.guarding import content_policy, harden, refuse_strangers
from simulated.openid_provider import endpoints

LONGEST_NAME = 60


def create_app(site: Site) -> Flask:
    """The application of one site."""
    app = Flask("simulated.google")
    app.config.update(
        MAX_CONTENT_LENGTH=64 * 1024,
        SECRET_KEY=site.accounts.form_key(),
        SESSION_COOKIE_NAME=FORM_COOKIE,
        SESSION_COOKIE_SAMESITE="Lax",
        WTF_CSRF_TIME_LIMIT=None,
    )
    app.extensions[EXTENSION] = site
    app.before_request(_guard)
    app.after_request(_harden)
    app.register_error_handler(HTTPException, _show_http_error)
    endpoints.add_to(app, site.provider)
    csrf = CSRFProtect(app)
    for view in (endpoints.authorize, endpoints.token, endpoints.userinfo, endpoints.logout):
        csrf.exempt(view)
    app.add_url_rule("/", view_func=_choose_page, endpoint="start")
    app.add_url_rule("/choose", view_func=_choose_page, methods=["GET"])
    app.add_url_rule("/choose", view_func=_choose, methods=["POST"])
    app.add_url_rule("/add", view_func=_add, methods=["POST"])
    app.add_url_rule("/healthz", view_func=_healthz)
    return app


def _choose_page() -> str:
    return _render("")


def _choose() -> AnyResponse:
    account = this_site().accounts.find(request.form.get("account", ""))
    if account is None:
        abort(404, "There is no such account.")
    return _log_in(account.id)


def _add() -> AnyResponse:
    names = [" ".join(request.form.get(name, "").split()) for name in ("given_name", "family_name")]
    try:
        email = validate_email(request.form.get("email", "").strip(), check_deliverability=False).normalized
    except EmailNotValidError as error:
        return make_response(_render(str(error)), 422)
    if not names[0] or not all(len(name) <= LONGEST_NAME and name.isprintable() for name in names):
        return make_response(_render("Type a name."), 422)
    return _log_in(this_site().accounts.get_or_create(email, *names).id)


def _log_in(account_id: str) -> AnyResponse:
    site = this_site()
    waiting = site.provider.grants.find_waiting(request.form.get("continue", ""))
    answer = redirect(waiting.path if waiting else "/", 303)
    secure = site.public_url.startswith("https:")
    secret = site.accounts.begin(account_id)
    answer.set_cookie(SESSION_COOKIE, secret, SESSION_SECONDS, httponly=True, samesite="Lax", secure=secure)
    return answer


def _render(problem: str) -> str:
    site = this_site()
    waiting = site.provider.grants.find_waiting(request.values.get("continue", ""))
    client = site.provider.clients.find(waiting.client_id) if waiting else None
    people, typed = site.accounts.all(), request.form
    return render_template("choose.html", waiting=waiting, client=client, people=people, problem=problem, typed=typed)


def _healthz() -> Response:
    return jsonify(status="ok")


def _guard() -> tuple[str, int] | None:
    return refuse_strangers(this_site().public_url, endpoints.OPEN_TO_OTHERS)


def _harden(response: Response) -> Response:
    origins = {origin for client in this_site().provider.clients.all() for origin in client.origins}
    return harden(response, content_policy(" ".join(["'self'", *sorted(origins)])))


def _show_http_error(error: HTTPException) -> tuple[str, int] | AnyResponse:
    if error.code is None or error.code < 400 or request.path.startswith("/oauth2/"):
        return error.get_response()
    return render_template("message.html", title=error.name, message=error.description or ""), error.code
