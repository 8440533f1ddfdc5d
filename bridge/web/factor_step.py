"""From a right password on to the second factor, which `login_factor` asks for."""

from flask import Response, url_for

from bridge.domain.second_factors import FactorNeeded
from bridge.flows.second_factors import STEP_LASTS
from bridge.web.cookies import keep_factor
from bridge.web.return_path import HOME, go


def ask_factor(needed: FactorNeeded, return_to: str, prove: str = "") -> Response:
    """The password was right: on to the second factor, then to `return_to`, or to the proof that `prove` names."""
    back = return_to if return_to != HOME else None
    response = go(url_for("factor.ask", return_to=back, prove=prove or None))
    keep_factor(response, needed.token, STEP_LASTS)
    return response
