"""`bridge doctor`: what is wrong with this installation, and what to do about it."""

import importlib
import shutil
import sys
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Literal

import click

from bridge.cli.terminal import Terminal, Told, json_option
from bridge.domain.errors import DomainError
from bridge.domain.sentences import counted
from bridge.flows.context import Context
from bridge.flows.deliver import stuck_mail
from bridge.flows.health import check_ready, check_writable
from bridge.flows.jobs import WORKER_MISSED_AFTER, worker_state
from bridge.flows.log_requests import unknown_tokens
from bridge.flows.refresh_metadata import failing
from bridge.flows.renew_secrets import count_ending, count_outdated
from bridge.flows.warn_expiries import near_expiries
from bridge.settings import Settings, SettingsError, read_settings
from bridge.wiring import make_context, make_mailer

_LEAST_SPACE = 500 * 2**20
_MARKS = {"ok": "✓", "warning": "△", "broken": "⊗"}


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing looked at. `text` says what to do unless it is ok."""

    subject: str
    state: Literal["ok", "warning", "broken"]
    text: str


@click.command()
@click.pass_obj
@json_option
def doctor(terminal: Terminal) -> None:
    """Check settings, libraries, database and disk. Exit status 1 when something is broken."""
    findings = examine()
    broken = any(finding.state == "broken" for finding in findings)
    wire = [{"subject": one.subject, "state": one.state, "text": one.text} for one in findings]
    text = "\n".join(f"{_MARKS[one.state]} {one.subject}: {one.text}" for one in findings)
    terminal.show(Told({"healthy": not broken, "findings": wire}, text))
    if broken:
        sys.exit(1)


def examine() -> list[Finding]:
    """Everything there is to find, in the order in which it would be put right."""
    findings = [_libraries()]
    try:
        settings = read_settings()
    except SettingsError as error:
        return [*findings, *(Finding("settings", "broken", fault) for fault in error.faults)]
    findings.append(Finding("settings", "ok", f"public address {settings.public_url}, data in {settings.data_dir}"))
    return [
        *findings,
        *_look(_database, settings),
        *_look(_mail, settings),
        *_look(_disk, settings),
        *_in_the_house(settings),
        _address(settings),
    ]


def _look(check: Callable[[Settings], Finding], settings: Settings) -> list[Finding]:
    try:
        return [check(settings)]
    except DomainError as error:
        return [Finding(check.__name__.strip("_"), "broken", error.text)]


def _libraries() -> Finding:
    """lxml and xmlsec must carry one libxml2, or signatures can't be checked; it shows at import."""
    try:
        importlib.import_module("xmlsec")
        importlib.import_module("saml.toolkit")
    except (ImportError, RuntimeError) as error:
        text = f"{error}. Install the locked versions, wheels only: ./dev setup"
        return Finding("libraries", "broken", text)
    return Finding("libraries", "ok", "SAML signatures can be checked")


def _database(settings: Settings) -> Finding:
    context = make_context(settings)
    try:
        check_ready(context)
        check_writable(context)
    finally:
        context.database.close()
    kind = "SQLite" if settings.uses_sqlite else "PostgreSQL"
    return Finding("database", "ok", f"{kind}, at this version's schema, can be written")


def _mail(settings: Settings) -> Finding:
    make_mailer(settings)
    if settings.mail_url.startswith("file:"):
        text = f"every mail is kept as a file in {settings.mail_url.removeprefix('file://')}; nobody receives one"
        return Finding("mail", "warning", f"{text}. Set BRIDGE_MAIL_URL to send it")
    return Finding("mail", "ok", "leaves by SMTP")


def _disk(settings: Settings) -> Finding:
    free = shutil.disk_usage(settings.data_dir).free
    shown = f"{free // 2**20:,} MB free in {settings.data_dir}"
    return Finding("disk", "ok" if free >= _LEAST_SPACE else "warning", shown)


def _in_the_house(settings: Settings) -> list[Finding]:
    """What only the database knows; where it can't be opened, that is said already."""
    try:
        context = make_context(settings)
    except DomainError:
        return []
    try:
        now = datetime.now(UTC)
        return [finding for look in _INSIDE for finding in look(context, now)]
    finally:
        context.database.close()


def _worker(context: Context, now: datetime) -> list[Finding]:
    state = worker_state(context, now)
    if state.last_alive is None:
        text = "none has worked here yet. `bridge serve` runs one, unless with --no-worker; so does `bridge worker`"
        return [Finding("worker", "warning", text)]
    seen = f"last alive on {state.last_alive:%d %b %Y, %H:%M:%S} UTC"
    if now - state.last_alive > WORKER_MISSED_AFTER:
        return [Finding("worker", "warning", f"{seen}: no mail leaves. Start `bridge serve` or `bridge worker`")]
    late = [Finding("worker", "warning", f"the job {name} is overdue: {why}") for name, why in state.overdue]
    return late or [Finding("worker", "ok", seen)]


def _waiting_mail(context: Context, _now: datetime) -> list[Finding]:
    stuck = stuck_mail(context)
    failing = f"{stuck.failing:,} can't be delivered and are tried again: {stuck.failing_error}"
    given_up = f"{stuck.given_up:,} were given up within 30 days: {stuck.given_up_error}"
    each = [(stuck.failing, failing), (stuck.given_up, given_up)]
    return [Finding("outbox", "warning", text) for count, text in each if count]


def _secret_keys(context: Context, now: datetime) -> list[Finding]:
    """Whether older keys among BRIDGE_SECRET_KEYS can go, and whether one is missing."""
    waiting, older = count_outdated(context), len(context.secrets.keys) - 1
    if waiting:
        text = (
            f"{waiting:,} secrets aren't encrypted with the first of BRIDGE_SECRET_KEYS. The worker encrypts them anew "
        )
        more = (
            "within the hour; what stays after that was encrypted with a key that is missing: add it behind the first"
        )
        return [Finding("secret keys", "warning", text + more)]
    ending = count_ending(context, now)
    if ending:
        under_way = counted(ending, "login or set-up", "logins or set-ups")
        text = f"{under_way} under way hold what an older key has encrypted: it can go in half an hour"
        return [Finding("secret keys", "warning", text)]
    if older:
        text = f"the first encrypts all there is. The {counted(older, 'older key')} can go"
        return [Finding("secret keys", "ok", text)]
    return []


def _metadata(context: Context, _now: datetime) -> list[Finding]:
    return [
        Finding("metadata", "warning", f"of connection {found.name} ({found.id}): {state.error}")
        for found, state in failing(context)
    ]


def _expiries(context: Context, now: datetime) -> list[Finding]:
    near = near_expiries(context, now)
    texts = [
        f"{_ENDING[one.kind]} {one.name} ({one.subject}) "
        f"{'ended' if one.is_over(now) else 'ends'} on {one.ends_at:%d %b %Y}"
        for one in near[:_MOST_SHOWN]
    ]
    more = [f"and {len(near) - _MOST_SHOWN:,} more within 30 days"] if len(near) > _MOST_SHOWN else []
    return [Finding("expiry", "warning", text) for text in (*texts, *more)]


def _strangers(context: Context, now: datetime) -> list[Finding]:
    """Calls that no workspace's log can show: an IdP whose token was mistyped, revoked or has run out."""
    counted = unknown_tokens(context, now)
    text = f"{counted:,} calls in the last hour came with a token that nobody has: an IdP may need a new one"
    return [Finding("scim", "warning", text)] if counted else []


_INSIDE = (_worker, _waiting_mail, _secret_keys, _metadata, _expiries, _strangers)
_MOST_SHOWN = 10
_ENDING = {
    "idp_certificate": "the IdP's certificate of connection",
    "our_certificate": "our certificate for connection",
    "scim_token": "the SCIM token",
    "api_token": "the API token",
}


def _address(settings: Settings) -> Finding:
    local = "://localhost" in settings.public_url or "://127." in settings.public_url
    if settings.public_url.startswith("https:") or local:
        return Finding("address", "ok", settings.public_url)
    text = f"{settings.public_url} is not https: cookies and passwords travel in the clear. Set BRIDGE_PUBLIC_URL"
    return Finding("address", "warning", text)
