"""The browser is back from its IdP, and is the one that began: into the product, to prove an account, or to what a test
found out.
"""

from flask import Response, url_for

from bridge.domain.second_factors import FactorNeeded
from bridge.flows.second_factors import STEP_LASTS
from bridge.flows.sessions import SignedIn
from bridge.flows.sign_in import ProofNeeded, Tested
from bridge.web.cookies import drop_login, keep_browser, keep_factor, keep_session
from bridge.web.current import current_context
from bridge.web.return_path import HOME, go, safe_path


def arrive(told: SignedIn | ProofNeeded | Tested, browser: str, name: str) -> Response:
    """Where `bridge.flows.sign_in.resume` leads; `browser` is the secret by which the browser is known again, `name`
    what this login had among its own.
    """
    if isinstance(told, SignedIn):
        response = go(safe_path(told.return_to))
        keep_session(response, told.cookie, current_context().session_lifetime)
        drop_login(response, name)
    elif isinstance(told, ProofNeeded):
        response = go(url_for("prove_account.ask", token=told.token))
        drop_login(response, name)
    else:
        response = go(url_for("connection_test.result", handle=told.handle))
    keep_browser(response, browser)
    return response


def ask_factor(needed: FactorNeeded, return_to: str, prove: str = "") -> Response:
    """The password was right: on to the second factor, then to `return_to`, or to the proof that `prove` names."""
    back = return_to if return_to != HOME else None
    response = go(url_for("factor.ask", return_to=back, prove=prove or None))
    keep_factor(response, needed.token, STEP_LASTS)
    return response
