"""`/prove/…`: an account with this email exists, and the IdP's person shows that it is theirs (product.md 2.6)."""

from typing import Literal

from flask import Blueprint, Response, url_for

from bridge.flows.link_account import LINK_LASTS, Proof, find_asker, find_link, find_proof, follow_link, mail_link
from bridge.web import refusals
from bridge.web.cookies import browser_secret, keep_session, session_secret
from bridge.web.current import current_client, current_context, current_time
from bridge.web.pages.bare import render_bare
from bridge.web.pages.views import AgreePage, Link, ProveAccountPage
from bridge.web.refusals import note_login
from bridge.web.return_path import go, safe_path

blueprint = Blueprint("prove_account", __name__, url_prefix="/prove")
refusals.install(blueprint)


@blueprint.get("/<token>")
def ask(token: str) -> Response:
    """Is this account yours? By signing in as usual, or by a link by mail."""
    _note(token, "prove")
    proof = find_proof(current_context(), token, browser_secret() or "", current_time())
    return render_bare("prove_account.html", _page(token, proof))


@blueprint.post("/<token>/mail")
def mail(token: str) -> Response:
    """Send the link to the stored address."""
    _note(token, "prove")
    proof = mail_link(current_context(), token, browser_secret() or "", current_time())
    return render_bare("prove_account.html", _page(token, proof, mailed_to=proof.account_email))


@blueprint.get("/link/<secret>")
def open_link(secret: str) -> Response:
    """What the link would do, in the browser that asked for it: a program that reads mail opens it, too."""
    _note(secret, "link")
    proof = find_link(current_context(), secret, browser_secret() or "", current_time())
    page = AgreePage(
        title="Is this account yours?",
        said=((f"{proof.connection} signs in", proof.email), ("which opens this account:", proof.account_email)),
        text=f"After this, {proof.connection} opens {proof.workspace} for this account.",
        action=url_for("prove_account.follow", secret=secret),
        button="It is mine: sign in",
        cancel=Link("That isn’t me", url_for("password.login")),
    )
    return render_bare("agree.html", page)


@blueprint.post("/link/<secret>")
def follow(secret: str) -> Response:
    """It is: linked, and signed in."""
    _note(secret, "link")
    context = current_context()
    told = follow_link(context, secret, browser_secret() or "", current_client(), current_time(), old=session_secret())
    response = go(safe_path(told.return_to))
    keep_session(response, told.cookie, context.session_lifetime)
    return response


def _note(secret: str, kind: Literal["prove", "link"]) -> None:
    """Have a refusal logged with the connection whose sign-in led here, of whichever kind it is."""
    asker = find_asker(current_context(), secret, kind, current_time())
    if asker is not None:
        note_login(kind=asker.kind, connection_id=asker.connection_id, email=asker.email)


def _page(token: str, proof: Proof, *, mailed_to: str | None = None) -> ProveAccountPage:
    return ProveAccountPage(
        connection=proof.connection,
        workspace=proof.workspace,
        email=proof.email,
        why=f"{proof.connection} can’t vouch for it, so show once that it is yours.",
        sign_in_href=url_for("password.login", prove=token),
        mail_action=url_for("prove_account.mail", token=token),
        mailed_to=mailed_to,
        link_minutes=int(LINK_LASTS.total_seconds() // 60),
    )
