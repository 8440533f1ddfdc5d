"""`bridge domain`: e-mail domains, claimed and proved."""

import click

from bridge.cli.shown import table, wire_domain
from bridge.cli.terminal import House, Told, told
from bridge.domain.domains import Domain
from bridge.flows import domains
from bridge.flows.context import OPERATOR
from bridge.wiring import make_outside


@click.group()
def domain() -> None:
    """Claim and prove e-mail domains."""


@domain.command("add")
@click.argument("workspace")
@click.argument("name", metavar="DOMAIN")
@click.option("--connection", "connection_id", metavar="ID", help="Send its people to this connection.")
@told
def add(house: House, workspace: str, name: str, connection_id: str | None) -> Told:
    """Claim a domain. Prints what proves it: a DNS record, or a tag on its site's root page."""
    return _told(domains.add_domain(house.context, OPERATOR, workspace, name, connection_id, house.now))


@domain.command("verify")
@click.argument("workspace")
@click.argument("name", metavar="DOMAIN")
@click.option("--trust", is_flag=True, help="Record that the proof was made elsewhere. For the operator only.")
@told
def verify(house: House, workspace: str, name: str, trust: bool) -> Told:
    """Look for the proof of a claimed domain, in DNS and on its site's root page."""
    if trust:
        return _told(domains.trust_domain(house.context, OPERATOR, workspace, name, house.now))
    look = make_outside(house.settings).look_for_proof
    return _told(domains.verify_domain(house.context, OPERATOR, workspace, name, look, house.now))


@domain.command("remove")
@click.argument("workspace")
@click.argument("name", metavar="DOMAIN")
@told
def remove(house: House, workspace: str, name: str) -> Told:
    """Let a domain go: another workspace can prove it from now on."""
    gone = domains.remove_domain(house.context, OPERATOR, workspace, name, house.now)
    return Told({"domain": wire_domain(gone)}, f"{workspace} has let {gone.name} go.")


@domain.command("list")
@click.argument("workspace")
@told
def show_all(house: House, workspace: str) -> Told:
    """List a workspace's domains."""
    found = domains.list_domains(house.context, workspace)
    rows = [(one.name, one.status, one.connection_id or "") for one in found]
    return Told({"domains": [wire_domain(one) for one in found]}, table(["Domain", "Status", "Connection"], rows))


def _told(found: Domain) -> Told:
    text = f"{found.name} is {found.status}."
    if found.status == "pending":
        text += f" Either of these proves it, until {found.token_expires_at:%d %b %Y}:"
        text += f"\n  {found.dns_record}\n  {found.meta_tag}"
    return Told({"domain": wire_domain(found)}, text)
