"""The browser is back from its IdP, and is the one that began: into the product, to prove an account, to say that
another may be signed in, or to what a test found out.
"""

from flask import Response, url_for

from bridge.flows.resume_login import AnotherIsSignedIn, ProofNeeded, Tested
from bridge.flows.sessions import SignedIn
from bridge.web.cookies import drop_login, keep_browser, keep_session
from bridge.web.current import current_context
from bridge.web.pages.bare import render_bare
from bridge.web.pages.views import AgreePage, Link
from bridge.web.return_path import go, safe_path


def arrive(told: SignedIn | ProofNeeded | AnotherIsSignedIn | Tested, browser: str, name: str) -> Response:
    """Where `resume` leads (`bridge.flows.resume_login`); `browser` is the secret by which the browser is known again,
    `name` what this login had among its own.
    """
    if isinstance(told, SignedIn):
        response = go(safe_path(told.return_to))
        keep_session(response, told.cookie, current_context().session_lifetime)
        drop_login(response, name)
    elif isinstance(told, ProofNeeded):
        response = go(url_for("prove_account.ask", token=told.token))
        drop_login(response, name)
    elif isinstance(told, AnotherIsSignedIn):
        response = render_bare("agree.html", _another(told))
    else:
        response = go(url_for("connection_test.result", handle=told.handle))
    keep_browser(response, browser)
    return response


def _another(told: AnotherIsSignedIn) -> AgreePage:
    return AgreePage(
        title=f"Continue as {told.coming}?",
        said=(
            ("You are signed in as", told.present),
            (f"{told.connection.name} now signs in", told.coming),
        ),
        text="Signing in as one signs the other out. If you didn’t come from there just now, stay who you are.",
        action=url_for("saml.resume_agreed", connection=told.connection.id),
        button=f"Continue as {told.coming}",
        hidden=(("handle", told.handle),),
        cancel=Link(f"Stay signed in as {told.present}", "/"),
    )
