"""What an admin may change of a SAML connection once it is made: its name, its switches, the names of attributes."""

from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Any
from urllib.parse import urlsplit

from bridge.domain.errors import DomainError, Invalid
from bridge.domain.people import clean_name
from bridge.domain.workspace import Connection, Workspace
from bridge.flows.connect import check_name_free
from bridge.flows.context import Context
from bridge.flows.named import (
    check_not_stale,
    check_sso_in_plan,
    get_connection,
    get_own_connection,
    get_workspace,
)
from bridge.storage import connections
from bridge.storage.changes import Change

#: NameID formats that may be asked for (SAML Core 8.3); without one, what the IdP's metadata says.
NAME_ID_FORMATS: Mapping[str, str] = {
    "persistent": "urn:oasis:names:tc:SAML:2.0:nameid-format:persistent",
    "email": "urn:oasis:names:tc:SAML:1.1:nameid-format:emailAddress",
    "transient": "urn:oasis:names:tc:SAML:2.0:nameid-format:transient",
    "unspecified": "urn:oasis:names:tc:SAML:1.1:nameid-format:unspecified",
}
MOST_CLOCK_SKEW, MOST_ASSERTED_DAYS = 300, 30
_MOST_NAMES, _LONGEST_NAME = 10, 255


@dataclass(frozen=True, slots=True)
class SamlSettings:
    """A SAML connection's settings. Names of attributes: the first that has a value counts; none: the preset's.

    `requests_by_post` counts where the IdP takes requests both by Redirect and by POST. `clock_skew` is in seconds.
    `authn_context` are URIs of which the IdP must meet one, `name_id_format` a URI.
    """

    name: str
    allow_idp_initiated: bool = False
    jit: bool = True
    mirror_groups: bool = True
    sign_requests: bool = True
    requests_by_post: bool = False
    force_authn: bool = False
    authn_context: tuple[str, ...] = ()
    name_id_format: str | None = None
    email: tuple[str, ...] = ()
    display_name: tuple[str, ...] = ()
    groups: tuple[str, ...] = ()
    clock_skew: int = 60
    asserted_days: int = 7


def settings_of(found: Connection) -> SamlSettings:
    """A SAML connection's settings; what an older row doesn't say stands at its default."""
    config, chosen = found.config, found.config.get("attributes") or {}
    switches = ("allow_idp_initiated", "jit", "mirror_groups", "sign_requests", "requests_by_post", "force_authn")
    others = ("name_id_format", "clock_skew", "asserted_days")
    given = {name: config[name] for name in (*switches, *others) if name in config}
    return SamlSettings(
        name=found.name,
        authn_context=tuple(config.get("authn_context", ())),
        email=tuple(chosen.get("email", ())),
        display_name=tuple(chosen.get("name", ())),
        groups=tuple(chosen.get("groups", ())),
        **given,
    )


def change_settings(
    context: Context,
    actor: str,
    workspace_slug: str,
    connection_id: str,
    edit: Callable[[SamlSettings], SamlSettings],
    now: datetime,
    *,
    read_at: int | None = None,
) -> Connection:
    """Set what `edit` makes of the settings that stand. Audited with what was and what is, where they differ.

    `read_at` is the version that a form showed: raises Stale where the connection was changed since. Raises Invalid
    about a field of SamlSettings, Conflict (name in use), NotInPlan, NotFound, Forbidden (not an owner).
    """
    with context.changing(actor, now) as change:
        workspace, found = get_own_connection(change, workspace_slug, connection_id)
        set_settings(change, workspace, found, edit, read_at=read_at)
        return get_connection(change.connection, workspace, connection_id)


def set_settings(
    change: Change,
    workspace: Workspace,
    found: Connection,
    edit: Callable[[SamlSettings], SamlSettings],
    *,
    read_at: int | None = None,
) -> None:
    """The same inside another flow, which holds the connection and knows who may."""
    check_sso_in_plan(workspace)
    check_saml(found)
    before = settings_of(found)
    after = _checked(edit(before))
    told = difference(before, after)
    if told:
        check_not_stale(found, read_at)
        check_name_free(change, workspace.key, after.name, but=found.id)
        connections.set_connection(change, found.key, name=after.name, config=_config(found.config, after))
        was, became = ({name: pair[n] for name, pair in told.items()} for n in (0, 1))
        change.record(workspace.key, "connection.changed", found.id, before=was, after=became)


def read_settings(context: Context, workspace_slug: str, connection_id: str) -> tuple[Connection, SamlSettings]:
    """A SAML connection and its settings. Raises NotFound, DomainError (of another kind)."""
    with context.database.reading() as connection:
        found = get_connection(connection, get_workspace(connection, workspace_slug), connection_id)
    check_saml(found)
    return found, settings_of(found)


def check_saml(found: Connection) -> None:
    """Refuse what only SAML connections have. Raises DomainError."""
    if found.kind != "saml":
        raise DomainError(f"{found.name} is not a SAML connection.")


def parse_name_id_format(written: str) -> str | None:
    """A NameID format by its short name or its URI; None for nothing. Raises Invalid."""
    if not written:
        return None
    found = NAME_ID_FORMATS.get(written, written)
    if found not in NAME_ID_FORMATS.values():
        known = ", ".join(NAME_ID_FORMATS)
        raise Invalid(f"The bridge knows no NameID format {written[:80]!r}, but {known}.", field="name_id_format")
    return found


def _checked(wanted: SamlSettings) -> SamlSettings:
    clean_name(wanted.name, field="name", longest=100)
    parse_name_id_format(wanted.name_id_format or "")
    check_limits(wanted.clock_skew, wanted.asserted_days)
    for field, names in (("email", wanted.email), ("display_name", wanted.display_name), ("groups", wanted.groups)):
        check_names(field, names)
    for uri in wanted.authn_context:
        if not urlsplit(uri).scheme:
            raise Invalid(f"{uri[:80]} is no URI of an authentication context class.", field="authn_context")
    check_names("authn_context", wanted.authn_context)
    return wanted


def check_limits(clock_skew: int, asserted_days: int) -> None:
    """Refuse seconds and days that no connection may have. Raises Invalid."""
    _check_number("clock_skew", clock_skew, 0, MOST_CLOCK_SKEW, "seconds")
    _check_number("asserted_days", asserted_days, 1, MOST_ASSERTED_DAYS, "days")


def _check_number(field: str, number: int, least: int, most: int, unit: str) -> None:
    if not least <= number <= most:
        raise Invalid(f"Give a number of {unit} from {least} to {most}.", field=field)


def check_names(field: str, names: tuple[str, ...]) -> None:
    """Refuse names of attributes or claims that none can have. Raises Invalid."""
    if len(names) > _MOST_NAMES:
        raise Invalid(f"Give at most {_MOST_NAMES}.", field=field)
    for name in names:
        if not name.strip() or len(name) > _LONGEST_NAME or not name.isprintable():
            raise Invalid(f"Each needs 1 to {_LONGEST_NAME} characters that can be printed.", field=field)


def _config(config: Mapping[str, Any], wanted: SamlSettings) -> dict[str, Any]:
    kept = {name: value for name, value in config.items() if name not in ("attributes", "name_id_format")}
    plain = asdict(wanted)
    names = {claim: list(plain.pop(field)) for claim, field in _CLAIMS}
    attributes = {claim: chosen for claim, chosen in names.items() if chosen}
    plain.pop("name")
    name_id_format = plain.pop("name_id_format")
    return {
        **kept,
        **plain,
        "authn_context": list(wanted.authn_context),
        **({"attributes": attributes} if attributes else {}),
        **({"name_id_format": name_id_format} if name_id_format else {}),
    }


_CLAIMS = (("email", "email"), ("name", "display_name"), ("groups", "groups"))


def difference(before: Any, after: Any) -> dict[str, tuple[Any, Any]]:
    """Of two settings of one kind, what was and what is, by name, where they differ."""
    was, became = asdict(before), asdict(after)
    return {name: (was[name], became[name]) for name in was if was[name] != became[name]}
