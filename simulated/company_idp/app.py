"""The web application: wires the parts, guards every request, turns errors into pages or JSON. Nothing else."""

import json
from typing import Any
from urllib.parse import unquote_plus

from flask import Flask, Response, jsonify, redirect, render_template, request
from werkzeug.exceptions import HTTPException
from werkzeug.wrappers import Response as AnyResponse

from simulated.company_idp import console, json_api, logout_pages, sign_in_pages
from simulated.company_idp.company import EXTENSION, Company, this_company
from simulated.company_idp.errors import CompanyIdpError, Conflict, Invalid, NotFound, SamlRequestRefused
from simulated.dialects.scim_client import ScimError
from simulated.guarding import content_policy, harden, refuse_strangers

LARGEST_BODY = 1024 * 1024
STATUS: dict[type[Exception], int] = {NotFound: 404, Conflict: 409, Invalid: 422, SamlRequestRefused: 400}
#: Where a person can be sent by another site: everything else takes changes from its own pages only.
OPEN_TO_OTHER_SITES = frozenset({"/sso", "/slo"})


def create_app(company: Company) -> Flask:
    """The application of one company."""
    app = Flask("simulated.company_idp")
    app.config["MAX_CONTENT_LENGTH"] = LARGEST_BODY
    app.extensions[EXTENSION] = company
    app.before_request(_guard)
    app.after_request(_harden)
    app.register_error_handler(CompanyIdpError, _show_error)
    app.register_error_handler(ScimError, _show_error)
    app.register_error_handler(HTTPException, _show_http_error)
    app.add_template_filter(_pretty_json, "pretty_json")
    app.add_template_filter(unquote_plus, "urldecode")
    for blueprint in (sign_in_pages.blueprint, logout_pages.blueprint, console.blueprint, json_api.blueprint):
        app.register_blueprint(blueprint)
    app.add_url_rule("/", view_func=_start)
    app.add_url_rule("/healthz", view_func=_healthz)
    return app


def _pretty_json(sent_or_answered: Any) -> str:
    """A value, or text that is JSON, indented and in its own order; other text (an answer cut short) as it is."""
    try:
        value = json.loads(sent_or_answered) if isinstance(sent_or_answered, str) else sent_or_answered
    except ValueError:
        return str(sent_or_answered)
    return json.dumps(value, indent=2, ensure_ascii=False)


def _start() -> AnyResponse:
    return redirect("/console/people")


def _healthz() -> Response:
    return jsonify(status="ok")


def _guard() -> tuple[str, int] | None:
    """There is no login before the console, since it is the demo's: listening on loopback alone and this are what
    keeps other people's pages in the same browser out."""
    return refuse_strangers(this_company().public_url, OPEN_TO_OTHER_SITES)


def _harden(response: Response) -> Response:
    return harden(response, content_policy())


def _show_error(error: Exception) -> tuple[Response | str, int]:
    status = next((code for kind, code in STATUS.items() if isinstance(error, kind)), 502)
    return _error(status, str(error))


def _show_http_error(error: HTTPException) -> tuple[Response | str, int] | AnyResponse:
    if error.code is None or error.code < 400:
        return error.get_response()
    return _error(error.code, error.description or error.name)


def _error(status: int, message: str) -> tuple[Response | str, int]:
    if request.path.startswith("/api/"):
        return jsonify(error=message), status
    return render_template("error.html", message=message, company=this_company().settings.read().company), status
