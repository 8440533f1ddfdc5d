"""Every template with sample values: to look at while one builds, and for test_gallery.py.

`python -m tests.browser.gallery [PORT]` serves them on a loopback port.
"""

import dataclasses
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from flask import Flask, abort, current_app, redirect, render_template, request
from flask import Response as FlaskResponse
from jinja2 import StrictUndefined
from werkzeug.serving import make_server
from werkzeug.wrappers import Response

from bridge.web.pages import filters
from bridge.web.pages import views as v
from tests.browser.samples import BARE, FRAGMENTS, NOT_FOUND, NOW, SAMPLES

PAGES = Path(v.__file__).parents[1]
CSP = (
    "default-src 'none'; style-src 'self'; script-src 'self'; img-src 'self' data:; font-src 'self'; "
    "connect-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
)


@dataclass(frozen=True, slots=True)
class Posted:
    """A form that a page of the gallery sent."""

    path: str
    form: dict[str, str]


def create_gallery() -> Flask:
    """An app of nothing but the samples, under the policy of the real one. What is posted is kept in `POSTED`."""
    app = Flask(__name__, template_folder=str(PAGES / "templates"), static_folder=str(PAGES / "static"))
    app.config["POSTED"] = []
    filters.install(app, PAGES / "static")
    app.jinja_env.globals["csrf_token"] = lambda: "sample-token"
    app.jinja_env.undefined = StrictUndefined
    app.add_url_rule("/", view_func=_contents, endpoint="contents")
    app.add_url_rule("/p/<name>", view_func=_sample, endpoint="sample")
    app.add_url_rule("/fragment/<name>", view_func=_fragment, endpoint="fragment")
    app.add_url_rule("/theme", view_func=_theme, methods=["POST"], endpoint="theme")
    app.add_url_rule("/<path:path>", view_func=_posted, methods=["POST"], endpoint="posted")
    app.after_request(_policy)
    return app


def _contents() -> Response:
    return redirect("/p/users")


def _sample(name: str) -> str:
    if name not in SAMPLES:
        abort(404)
    template, frame, page = SAMPLES[name]
    theme: Any = request.cookies.get("theme")
    frame = dataclasses.replace(frame, theme=theme)
    if isinstance(frame, v.Frame):
        frame = dataclasses.replace(frame, path=request.full_path.rstrip("?"))
    return render_template(template, frame=frame, page=page, now=NOW)


def _fragment(name: str) -> str:
    template, page = FRAGMENTS[name]
    return render_template(template, page=page, now=NOW)


def _theme() -> Response:
    answer = redirect(request.form["return_to"], 303)
    answer.set_cookie("theme", request.form["theme"])
    return answer


def _posted(path: str) -> str:
    current_app.config["POSTED"].append(Posted(f"/{path}", request.form.to_dict()))
    return render_template("error.html", frame=BARE, page=NOT_FOUND, now=NOW)


def _policy(response: FlaskResponse) -> FlaskResponse:
    response.headers["Content-Security-Policy"] = CSP
    return response


if __name__ == "__main__":
    server = make_server("127.0.0.1", int(sys.argv[1]) if len(sys.argv) > 1 else 8009, create_gallery(), threaded=True)
    print(f"http://127.0.0.1:{server.server_port}/p/users", *SAMPLES)
    server.serve_forever()
