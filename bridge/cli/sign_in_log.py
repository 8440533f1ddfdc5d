"""`bridge sign-in-log`: who tried to sign in to a workspace, how far they came, and what to change."""

import click

from bridge.cli.shown import table, wire_time
from bridge.cli.terminal import House, Told, told
from bridge.domain.sign_in_explanations import explain
from bridge.domain.sign_in_log import AttemptsQuery, SignInAttempt
from bridge.flows.read_sign_in_log import get_attempt, list_attempts


@click.group("sign-in-log")
def sign_in_log() -> None:
    """Look at attempts to sign in, good and refused."""


@sign_in_log.command("show")
@click.argument("workspace")
@click.argument("ref", required=False)
@click.option("--connection", "connection_id", default="", metavar="ID", help="Only those through this connection.")
@click.option("--person", default="", metavar="EMAIL", help="Only those of whoever's email has this in it.")
@click.option("--refused", is_flag=True, help="Only refused ones.")
@click.option("--limit", type=click.IntRange(1, 1_000), default=50, show_default=True, metavar="N")
@told
def show(
    house: House, workspace: str, ref: str | None, connection_id: str, person: str, refused: bool, limit: int
) -> Told:
    """List the latest attempts, newest first; or tell one in full, by the reference that its page showed."""
    if ref is not None:
        found = get_attempt(house.context, workspace, ref)
        return Told({"attempt": _wire_whole(found)}, _text(found))
    query = AttemptsQuery(person, "refused" if refused else "", connection_id)
    page = list_attempts(house.context, workspace, query, limit)
    rows = [(f"{one.at:%Y-%m-%d %H:%M:%S}", one.ref, one.email or "unknown", _ended(one)) for one in page.attempts]
    text = table(("At (UTC)", "Reference", "Who", "How it ended"), rows) if rows else "Nothing in the log."
    return Told({"attempts": [_wire(one) for one in page.attempts]}, text)


def _ended(one: SignInAttempt) -> str:
    if one.outcome == "password_reset":
        return "Password reset"
    if one.outcome != "refused":
        return "Test passed" if one.test else "Signed in"
    more = f" ({one.times} times)" if one.times > 1 else ""
    return f"{'Test refused' if one.test else 'Refused'}: {_title(one)}{more}"


def _title(one: SignInAttempt) -> str:
    found = explain(one.code, one.preset, one.connection, one.kind)
    return found.title if found else one.code


def _wire(one: SignInAttempt) -> dict[str, object]:
    return {
        "ref": one.ref,
        "at": wire_time(one.at),
        "kind": one.kind,
        "outcome": one.outcome,
        "code": one.code,
        "check": one.check,
        "test": one.test,
        "email": one.email,
        "connection": {"id": one.connection_id, "name": one.connection} if one.connection_id else None,
        "address": one.address,
        "text": one.text,
        "times": one.times,
    }


def _wire_whole(one: SignInAttempt) -> dict[str, object]:
    found = explain(one.code, one.preset, one.connection, one.kind) if one.outcome == "refused" else None
    steps = [
        {"name": step.name, "at": wire_time(step.at) if step.at else None, "detail": step.detail} for step in one.steps
    ]
    fix = {"title": found.title, "todo": found.todo, "where": found.where} if found else None
    return {**_wire(one), "steps": steps, "fix": fix, "message": one.message}


def _text(one: SignInAttempt) -> str:
    found = explain(one.code, one.preset, one.connection, one.kind) if one.outcome == "refused" else None
    lines = [f"{one.at:%Y-%m-%d %H:%M:%S} UTC  {one.ref}  {one.email or 'unknown'}  {_ended(one)}", one.text]
    if found:
        lines += [found.todo, *([found.where] if found.where else [])]
    lines += ["", *(f"  {step.title(one.connection)}: {step.detail}".rstrip(": ") for step in one.steps)]
    return _printable("\n".join([*lines, "", one.message]))


def _printable(text: str) -> str:
    """A text with what an IdP wrote in it, without what a terminal would obey."""
    return "".join(letter if letter.isprintable() or letter == "\n" else "?" for letter in text)
