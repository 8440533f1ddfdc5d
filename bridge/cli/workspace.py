"""`bridge workspace`: customers' spaces, made by the operator."""

from typing import Any

import click

from bridge.cli.previews import NoPreview, asking, foretell
from bridge.cli.shown import table, wire_time
from bridge.cli.terminal import House, Told, read_secret, told
from bridge.domain.previews import RequireSso, Seen, SetPlan
from bridge.domain.roles import PLANS
from bridge.domain.workspace import Workspace
from bridge.flows.administer import WorkspaceDraft, create_workspace, list_workspaces, rename_workspace, set_plan
from bridge.flows.break_glass import make_code_at_once
from bridge.flows.context import OPERATOR
from bridge.flows.deliver import deliver_due
from bridge.flows.hipaa import flag_hipaa
from bridge.flows.require_factor import refuse_mailed_codes, require_factor
from bridge.flows.require_sso import require_sso_as_operator, stop_requiring_sso
from bridge.wiring import make_mailer


@click.group()
def workspace() -> None:
    """Make workspaces and set their plans."""


@workspace.command("create")
@click.argument("slug")
@click.option("--name", required=True, help="What people see.")
@click.option("--owner", "owner_email", required=True, metavar="EMAIL", help="The first owner; an account is made.")
@click.option("--owner-name", metavar="NAME", help="The owner's name; otherwise that part of the address.")
@click.option("--plan", type=click.Choice(PLANS), default="business", show_default=True)
@click.option(
    "--owner-password-stdin", is_flag=True, help="Read the owner's password from stdin; else a link is mailed."
)
@told
def create(
    house: House, slug: str, name: str, owner_email: str, owner_name: str | None, plan: str, owner_password_stdin: bool
) -> Told:
    """Make a workspace and its first owner."""
    password = read_secret() if owner_password_stdin else None
    draft = WorkspaceDraft(slug, name, owner_email, plan, password, owner_name)
    made = create_workspace(house.context, OPERATOR, draft, house.now)
    space, owner = made.workspace, made.owner
    text = f"Made the workspace {space.slug} ({space.plan}). Its owner is {owner.email}."
    text += f" {_mail_link(house)}" if made.link_mailed else ""
    return Told(
        {
            "workspace": _wire(space),
            "owner": {"id": owner.id, "email": owner.email},
        },
        text,
    )


def _mail_link(house: House) -> str:
    """Have the link leave now: perhaps no server runs yet. What can't leave waits for `serve` or `worker`."""
    if deliver_due(house.context, make_mailer(house.settings), house.now):
        return "A link to choose a password was mailed."
    return "The link to choose a password couldn't be mailed now; `bridge serve` or `bridge worker` tries again."


@workspace.command("rename")
@click.argument("slug")
@click.argument("name")
@told
def rename(house: House, slug: str, name: str) -> Told:
    """Give a workspace another name. Its slug, and with it every address, stays."""
    space = rename_workspace(house.context, OPERATOR, slug, name, house.now)
    return Told({"workspace": _wire(space)}, f"{space.slug} is called {space.name}.")


@workspace.command("set-plan")
@click.argument("slug")
@click.argument("plan", type=click.Choice(PLANS))
@told
@asking
def change_plan(house: House, slug: str, plan: str, dry_run: bool, seen: Seen | None) -> Told:
    """Put a workspace on another plan. Nothing is removed; what the plan lacks gives nothing."""
    if dry_run:
        return foretell(house, slug, SetPlan(plan))
    changed = set_plan(house.context, OPERATOR, slug, plan, house.now, seen=seen)
    space = changed.workspace
    text = f"{space.slug} is on the {space.plan} plan."
    if changed.no_longer:
        text += " What no longer applies, until it is on a larger one:\n" + "\n".join(
            f"  {one}" for one in changed.no_longer
        )
    return Told({"workspace": _wire(space), "no_longer_applies": list(changed.no_longer)}, text)


@workspace.command("require-sso")
@click.argument("slug")
@click.argument("switch", type=click.Choice(["on", "off"]))
@told
@asking
def change_require_sso(house: House, slug: str, switch: str, dry_run: bool, seen: Seen | None) -> Told:
    """Have a workspace's people come by single sign-on alone, or no longer.

    On, only where an owner named by hand came by it before.
    """
    if switch == "off" and (dry_run or seen):
        raise NoPreview("Off, it keeps nobody out: there is nothing to preview.")
    if dry_run:
        return foretell(house, slug, RequireSso(), keep="their way in: by single sign-on, or exempt from it")
    if switch == "on":
        space = require_sso_as_operator(house.context, OPERATOR, slug, house.now, seen=seen)
    else:
        space = stop_requiring_sso(house.context, OPERATOR, slug, house.now)
    text = "People come by single sign-on alone" if space.require_sso else "People may come by their own login, too"
    return Told({"workspace": _wire(space) | {"require_sso": space.require_sso}}, f"{space.slug}: {text}.")


@workspace.command("hipaa")
@click.argument("slug")
@click.argument("switch", type=click.Choice(["on", "off"]))
@told
def change_hipaa(house: House, slug: str, switch: str) -> Told:
    """Have a workspace close to sessions that aren't used for 15 minutes, or no longer."""
    space = flag_hipaa(house.context, OPERATOR, slug, switch == "on", house.now)
    text = "It closes after 15 minutes without use" if space.hipaa else "It stays open as long as a session"
    return Told({"workspace": _wire(space) | {"hipaa": space.hipaa}}, f"{space.slug}: {text}.")


@workspace.command("require-second-factor")
@click.argument("slug")
@click.argument("switch", type=click.Choice(["on", "off"]))
@told
def change_require_factor(house: House, slug: str, switch: str) -> Told:
    """Ask a workspace's people for a second factor where they don't come by single sign-on, or no longer.

    Who has none sets one up when they come in.
    """
    required = switch == "on"
    space = require_factor(house.context, OPERATOR, slug, required, house.now)
    text = "Who doesn't come by single sign-on shows a second factor" if required else "A password alone opens it"
    return Told({"workspace": _wire(space) | {"require_second_factor": required}}, f"{space.slug}: {text}.")


@workspace.command("mailed-codes")
@click.argument("slug")
@click.argument("switch", type=click.Choice(["on", "off"]))
@told
def change_mailed_codes(house: House, slug: str, switch: str) -> Told:
    """Whether a code by mail will do for a workspace's people who can't show their second factor."""
    taken = switch == "on"
    space = refuse_mailed_codes(house.context, OPERATOR, slug, not taken, house.now)
    text = "A code by mail stands in for a second factor" if taken else "Its people are mailed no codes"
    return Told({"workspace": _wire(space) | {"mailed_codes": taken}}, f"{space.slug}: {text}.")


@workspace.command("break-glass")
@click.argument("slug")
@click.argument("email")
@told
def make_break_glass_code(house: House, slug: str, email: str) -> Told:
    """Make a one-time code that, with their own login, opens the workspace to an owner past single sign-on.

    For an owner named by hand. Good for 24 hours, opens for one, and is shown this once. Every owner gets mail.
    """
    made = make_code_at_once(house.context, OPERATOR, slug, email, house.now)
    deliver_due(house.context, make_mailer(house.settings), house.now)
    [code] = made.codes
    url = f"{house.context.public_url}/w/{slug}/break-glass"
    wire = {"email": made.owner.email, "code": code, "expires_at": wire_time(made.expires_at), "url": url}
    text = (
        f"{code}\nOpens {slug} once to {made.owner.email}, within 24 hours: sign in with the password, then go to {url}"
    )
    return Told({"break_glass": wire}, text)


@workspace.command("list")
@told
def show_all(house: House) -> Told:
    """List the workspaces."""
    found = list_workspaces(house.context)
    return Told(
        {"workspaces": [_wire(one) for one in found]},
        table(["Slug", "Name", "Plan"], [(one.slug, one.name, one.plan) for one in found]),
    )


def _wire(space: Workspace) -> dict[str, Any]:
    return {"id": space.id, "slug": space.slug, "name": space.name, "plan": space.plan}
