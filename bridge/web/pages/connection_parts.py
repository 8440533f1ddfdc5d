"""What pages of connections share: our addresses in a vendor's words, statuses, the head with its tabs."""

from dataclasses import astuple, fields
from datetime import datetime, timedelta
from re import escape
from uuid import UUID

from bridge.domain.presets import Ours, Preset, find_preset
from bridge.domain.previews import Side, SwitchConnection
from bridge.domain.roles import has_sso
from bridge.domain.sentences import counted, listed
from bridge.domain.workspace import Connection
from bridge.flows.connection_overview import Closing, ConnectionOverview, Foreseen, get_overview
from bridge.flows.context import Context
from bridge.flows.saml_connection import addresses
from bridge.web.pages.filters import date, day, until
from bridge.web.pages.forms import typed
from bridge.web.pages.frame import Visit, enter_as_owner
from bridge.web.pages.preview_parts import asked_panel
from bridge.web.pages.views import (
    ConnectionHead,
    Consequence,
    ConsoleValue,
    Link,
    PreviewPanel,
    SetupStep,
    Status,
    Tab,
)

SPEAKS = {"saml": "SAML 2.0", "oidc": "OpenID Connect"}
#: From here on an expiry is shown as a warning.
_EXPIRES_SOON = timedelta(days=30)
_LONGEST_NUMBER = 18
_NOTHING_SEEN = Foreseen("", -1, 0, 0, 0, 0, 0, 0)


# -- One connection ----------------------------------------------------------------------------------


def enter_connection(slug: str, connection: UUID) -> tuple[Visit, ConnectionOverview]:
    """The owner's visit and the connection. Raises Forbidden, NotFound."""
    visit = enter_as_owner(slug)
    return visit, get_overview(visit.context, visit.slug, str(connection), visit.now)


def href(visit: Visit, connection: Connection, endpoint: str = "connections.show_one") -> str:
    """The path of a page of one connection."""
    return visit.url(endpoint, connection=connection.id)


def crumbs(visit: Visit, *more: Link) -> tuple[Link, ...]:
    """The way down to a page of connections."""
    return (Link("Connections", visit.url("connections.index")), *more)


def head(visit: Visit, found: Connection, current: str) -> ConnectionHead:
    """The head of the tab `current`."""
    tabs = [("Set-up", "connections.show_one")]
    if found.kind == "saml":
        tabs.append(("Certificates", "connection_keys.index"))
    tabs += [("Groups", "directory.groups"), ("Without an account", "directory.waiting")]
    tabs.append(("Settings", "connection_settings.index"))
    return ConnectionHead(
        name=found.name,
        speaks=SPEAKS[found.kind],
        status=status(visit, found),
        crumbs=crumbs(visit),
        tabs=tuple(Tab(text, href(visit, found, endpoint), current=text == current) for text, endpoint in tabs),
        test_href=href(visit, found, "connection_test.ask"),
        enable_href=None if found.enabled else href(visit, found, "connections.ask_to_enable"),
        disable_href=href(visit, found, "connections.ask_to_disable") if found.enabled else None,
    )


def status(visit: Visit, found: Connection) -> Status:
    """Whether one can sign in by it."""
    if not has_sso(visit.workspace.plan):
        return Status("off", "Not in the plan")
    return Status("ok", "On") if found.enabled else Status("off", "Off")


def expiry(ends: datetime, now: datetime) -> Status:
    """Until when a certificate is good."""
    if ends <= now:
        return Status("bad", f"Expired {day(ends, now)}")
    if ends - now <= _EXPIRES_SOON:
        return Status("warn", f"Expires {until(ends, now)}")
    return Status("ok", f"Until {date(ends)}")


def preset_of(found: Connection) -> Preset:
    """The vendor's words for a connection that is there."""
    return find_preset(str(found.config.get("preset")), found.kind)


def vendor(preset: Preset) -> str:
    """What a vendor is called in a sentence."""
    return "the IdP" if preset.key == "generic" else preset.name


# -- Our addresses, as that console asks for them ----------------------------------------------------


def our_values(context: Context, connection_id: str) -> dict[Ours, str]:
    """Our addresses of a connection that is there, or will be."""
    saml, base = addresses(context, connection_id), f"{context.public_url}/oidc/{connection_id}"
    return {
        "acs_url": saml.acs_url,
        "acs_pattern": f"^{escape(saml.acs_url)}$",
        "sp_entity_id": saml.sp_entity_id,
        "sp_metadata_url": saml.sp_metadata_url,
        "login_url": saml.login_url,
        "slo_url": saml.slo_url,
        "redirect_uri": f"{base}/callback",
        "backchannel_logout_uri": f"{base}/backchannel-logout",
        "oidc_login_url": f"{base}/login",
    }


def setup_steps(preset: Preset, values: dict[Ours, str]) -> tuple[SetupStep, ...]:
    """What to do in that console, with our addresses in place."""
    return tuple(
        SetupStep(
            step.title,
            step.text,
            tuple(
                ConsoleValue(f"v-{n}-{m}", one.label, values[one.value] if one.value else "", one.text, one.help)
                for m, one in enumerate(step.fields)
            ),
            step.claims,
        )
        for n, step in enumerate(preset.steps)
    )


# -- What closing it takes ---------------------------------------------------------------------------


def closing_lines(closing: Closing, *, for_good: bool) -> tuple[Consequence, ...]:
    """Who loses what when a connection is switched off, or (`for_good`) deleted."""
    counts, found = closing.overview.counts, closing.overview.connection
    lines = []
    if found.enabled:
        people = counted(counts.signed_in, "person is", "people are")
        signed_in = f": {people} signed in by it now" if counts.signed_in else ""
        lines.append(Consequence("lose", f"Nobody signs in by {found.name}, from the next request on{signed_in}"))
    if closing.loses.count:
        people = counted(closing.loses.count, "person loses", "people lose")
        lines.append(Consequence("lose", f"{people} access that no other path gives them"))
    if closing.last_way:
        text = "It is the only way in while SSO is required: people stay locked out until another connection is on"
        lines.append(Consequence("lose", text))
    if counts.tokens:
        verb = "stop" if counts.tokens != 1 else "stops"
        lines.append(Consequence("lose", f"{counted(counts.tokens, 'SCIM token')} {verb} working"))
    if counts.domains:
        lines.append(Consequence("lose", f"People of {listed(counts.domains)} are not sent to {found.name} any more"))
    return (*lines, *(_for_good(closing) if for_good else _for_now(closing)))


def _for_now(closing: Closing) -> tuple[Consequence, ...]:
    name = closing.overview.connection.name
    kept = f"The directory, the rules and everything set up for {name} stay; switched on again, they work as before"
    return (Consequence("keep", kept), Consequence("remember", "Sessions that end now stay ended"))


def _for_good(closing: Closing) -> tuple[Consequence, ...]:
    counts, name = closing.overview.counts, closing.overview.connection.name
    lines = []
    if counts.pushed or counts.groups:
        directory = f"{counted(counts.pushed, 'person', 'people')} and {counted(counts.groups, 'IdP group')}"
        lines.append(Consequence("lose", f"What {name} pushed goes: {directory}"))
    if counts.rules:
        lines.append(Consequence("lose", f"{counted(counts.rules, 'rule goes', 'rules go')} with its IdP groups"))
    if counts.held_out:
        people = counted(counts.held_out, "person", "people")
        lines.append(Consequence("lose", f"{people} whom {name} had suspended: the membership ends"))
    who = "Everybody else" if counts.held_out else "Everybody"
    lines.append(Consequence("keep", f"{who} stays a member, with what was given by hand"))
    text = "It can’t be undone: a new connection has other addresses, which the IdP must be given"
    return (*lines, Consequence("remember", text))


def foreseen_field(closing: Closing) -> tuple[tuple[str, str], ...]:
    """What was shown, for the form that then does it; `read_foreseen` reads it back."""
    return (("foreseen", " ".join(map(str, astuple(closing.foreseen)))),)


def read_foreseen() -> Foreseen:
    """What the form showed; what nobody was ever shown, where it says nothing of the kind."""
    digest, *numbers = typed("foreseen").split(" ")
    if len(numbers) != len(fields(Foreseen)) - 1 or not all(_is_number(one) for one in numbers):
        return _NOTHING_SEEN
    return Foreseen(digest, *map(int, numbers))


def _is_number(text: str) -> bool:
    return text.isascii() and text.isdecimal() and len(text) < _LONGEST_NUMBER


def closing_panel(visit: Visit, closing: Closing, endpoint: str) -> PreviewPanel:
    """Who loses and gains when it is closed; all of them a page at a time at the page `endpoint`."""
    found = closing.overview.connection

    def way(side: Side, after: str) -> str:
        return visit.url(endpoint, connection=found.id, side=side, after=after)

    return asked_panel(visit, SwitchConnection(found.id, False), closing.preview, way, href(visit, found, endpoint))
