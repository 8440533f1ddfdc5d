"""The whole data model, on one page.

- Numbers inside (`id`), random UUIDs outside (`uid`): an outsider's id is never ours (properties.md 6).
- `*_ci` holds a text folded in Python, so that both engines compare alike; secrets are kept as hashes
  (`hash`) or encrypted (`*_enc`).
- Facts are valid in time. A row says since when and by which `cause` it stands; when it ends, it moves to
  its `_past` twin with `until` and `ended_by` (see `changes.py`). A cause is the number that all audit events
  of one transaction share.
- Access is derived from these facts by one query (`access.py`); nothing here stores an answer.
- Unique constraints state the invariants; the code relies on them under concurrency.
- SQLite uses an index of some rows only for a statement that says the condition as the index does: a flag is `= 1`
  there, as SQLAlchemy writes it.
"""

from typing import Any

from flask_sqlalchemy import SQLAlchemy
from sqlalchemy import (
    BigInteger,
    Boolean,
    CheckConstraint,
    Column,
    ForeignKey,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    SmallInteger,
    Table,
    Text,
    UniqueConstraint,
    literal_column,
    text,
)

from bridge.storage.columns import Folded, Id, Instant, Json, past_twin

metadata = MetaData(
    naming_convention={
        "ix": "ix_%(table_name)s_%(column_0_N_name)s",
        "uq": "uq_%(table_name)s_%(column_0_N_name)s",
        "ck": "ck_%(table_name)s_%(constraint_name)s",
        "fk": "fk_%(table_name)s_%(column_0_name)s",
        "pk": "pk_%(table_name)s",
    }
)
#: The one module-level object of the house: Flask-SQLAlchemy's registry of these tables.
db = SQLAlchemy(metadata=metadata)


def _required(name: str, kind: Any) -> Column[Any]:
    return Column(name, kind, nullable=False)


def _to(name: str, target: str, *, nullable: bool = False, primary_key: bool = False) -> Column[Any]:
    return Column(name, Id, ForeignKey(target), nullable=nullable, primary_key=primary_key)


def _key(target: str | None = None) -> Column[Any]:
    return Column("id", Id, *([ForeignKey(target)] if target else []), primary_key=True)


def _one_of(column: str, *words: str) -> CheckConstraint:
    return CheckConstraint(f"{column} IN ({', '.join(repr(word) for word in words)})", name=column)


def _uid() -> Column[Any]:
    return Column("uid", Text, nullable=False, unique=True)


def _flag(name: str, *, default: bool = False) -> Column[Any]:
    return Column(name, Boolean, nullable=False, server_default=text("true" if default else "false"))


def _count(name: str) -> Column[Any]:
    return Column(name, BigInteger, nullable=False, server_default=text("0"))


def _stands() -> tuple[Column[Any], Column[Any]]:
    """Since when, and by which cause, a fact stands."""
    return Column("since", Instant, nullable=False), Column("cause", BigInteger, nullable=False)


# -- Workspaces and people ---------------------------------------------------------------------------

workspaces = Table(
    "workspaces",
    metadata,
    _key(),
    _uid(),
    Column("slug", Text, nullable=False, unique=True),
    _required("name", Text),
    _required("plan", Text),
    _flag("require_sso"),
    _flag("require_mfa"),
    _flag("refuse_mailed_codes"),  # of its members as a second factor
    _flag("hipaa"),
    _count("rev"),  # rises with each change; the lock on this row orders changes and guards the last owner
    _count("audit_seq"),
    _required("created_at", Instant),
    *_stands(),
    _one_of("plan", "free", "team", "business"),
)
users = Table(
    "users",
    metadata,
    _key(),
    _uid(),
    _required("email", Text),
    _required("email_ci", Text),
    Column("email_proved_at", Instant),
    _required("name", Text),
    Column("password_hash", Text),
    Column("twilio_sub", Text),
    Column(
        "twilio_email", Text
    ),  # as Twilio has it; another than `email` while that waits to be confirmed, or is taken
    Column("twilio_told_at", Instant),  # of what is newest of all that Twilio said of them
    Column("created_at", Instant, nullable=False),
    Column("closed_at", Instant),
    # Who closed an account leaves its address to whoever comes by it next.
    Index("uq_users_email", "email_ci", unique=True, sqlite_where=text("closed_at IS NULL"),
          postgresql_where=text("closed_at IS NULL")),
    Index("ix_users_closed", "email_ci", sqlite_where=text("closed_at IS NOT NULL"),
          postgresql_where=text("closed_at IS NOT NULL")),
    Index("uq_users_twilio_sub", "twilio_sub", unique=True, sqlite_where=text("twilio_sub IS NOT NULL"),
          postgresql_where=text("twilio_sub IS NOT NULL")),
)  # fmt: skip
second_factors = Table(
    "second_factors",
    metadata,
    _key(),
    _uid(),
    _to("user_id", "users.id"),
    _required("kind", Text),
    Column("name", Text, nullable=False, server_default=text("''")),
    _required("data_enc", LargeBinary),
    Column("last_step", BigInteger),  # totp: of the last code that was taken; passkey: its counter
    Column("credential", LargeBinary, unique=True),  # passkey: its id
    Column("created_at", Instant, nullable=False),
    Column("used_at", Instant),
    _one_of("kind", "totp", "passkey"),
    Index(None, "user_id"),
)
recovery_codes = Table(  # each is a second factor once, for who has one
    "recovery_codes",
    metadata,
    Column("hash", LargeBinary, primary_key=True),
    _to("user_id", "users.id"),
    Index(None, "user_id"),
)
# One space of ids for whatever can hold a grant.
principals = Table(
    "principals",
    metadata,
    _key(),
    _to("workspace_id", "workspaces.id"),
    _required("kind", Text),
    _one_of("kind", "membership", "user_group", "mapping", "token"),
    Index(None, "workspace_id"),
)
memberships = Table(
    "memberships",
    metadata,
    _key("principals.id"),
    _uid(),
    _to("workspace_id", "workspaces.id"),
    _to("user_id", "users.id"),
    _required("status", Text),  # removed: by an owner or a DELETE; outlasts later pushes of active:true
    Column("accepted_at", Instant),  # null: reaches the workspace by its SSO only, until the person accepts
    _flag("sso_exempt"),
    _required("created_at", Instant),
    *_stands(),
    UniqueConstraint("workspace_id", "user_id"),
    Index(None, "user_id"),
    _one_of("status", "active", "removed"),
)

# -- Connections and what their IdPs say -------------------------------------------------------------

connections = Table(
    "connections",
    metadata,
    _key(),
    _uid(),
    _to("workspace_id", "workspaces.id"),
    _required("kind", Text),
    _required("name", Text),
    _flag("enabled", default=True),
    _required("config", Json),  # the IdP's public side, preset, attribute names, switches
    Column("secrets_enc", LargeBinary),  # our private key; an OIDC client's secret
    _count("version"),
    _count("n_users"),
    _count("n_groups"),
    _required("created_at", Instant),
    *_stands(),
    _one_of("kind", "saml", "oidc"),
    Index(None, "workspace_id"),
)
provider_keys = Table(  # an OpenID provider's, as last read
    "provider_keys",
    metadata,
    _to("connection_id", "connections.id", primary_key=True),
    _required("url", Text),
    _required("body", LargeBinary),
    _required("read_at", Instant),
)
twilio_documents = Table(  # Twilio's discovery document and keys, as last read
    "twilio_documents",
    metadata,
    Column("name", Text, primary_key=True),
    _required("url", Text),
    _required("body", LargeBinary),
    _required("read_at", Instant),
    _one_of("name", "discovery", "keys"),
)
# How reading its metadata anew goes. Not in `connections`, since each change there keeps the former row.
metadata_refreshes = Table(
    "metadata_refreshes",
    metadata,
    _to("connection_id", "connections.id", primary_key=True),
    _required("version", BigInteger),  # of the connection that was planned for
    Column("url", Text),  # null: nothing to read
    Column("next_at", Instant),  # while one reads it: when it is taken away from them
    Column("tried_at", Instant),
    Column("good_at", Instant),
    Column("changed_at", Instant),
    _required("failures", Integer),  # since it last went well
    Column("error", Text),
    Column("content_hash", LargeBinary),  # SHA-256 of what was last read well
    Index(None, "next_at"),
)
domains = Table(
    "domains",
    metadata,
    Column("name", Text, primary_key=True),
    _to("workspace_id", "workspaces.id", primary_key=True),
    _to("connection_id", "connections.id", nullable=True),
    _required("token", Text),
    _required("token_expires_at", Instant),
    Column("proved_at", Instant),
    Column("proved_by", Text),
    Column("proof", Text),
    Column("checked_at", Instant),
    Column("found_at", Instant),
    Column("missing_since", Instant),
    Column("problem", Text),  # what the last look for the proof said
    _required("created_at", Instant),
    _one_of("proof", "dns", "meta", "word"),
    Index(None, "workspace_id"),
    Index(None, "connection_id"),
    # Several may claim, one has proved.
    Index("uq_domains_proved", "name", unique=True, sqlite_where=text("proved_at IS NOT NULL"),
          postgresql_where=text("proved_at IS NOT NULL")),
)  # fmt: skip
identities = Table(
    "identities",
    metadata,
    _to("connection_id", "connections.id", primary_key=True),
    Column("subject", Text, primary_key=True),
    _to("user_id", "users.id"),
    _required("linked_at", Instant),
    Index(None, "user_id"),
)
directory_users = Table(
    "directory_users",
    metadata,
    _key(),
    _uid(),
    _to("connection_id", "connections.id"),
    _to("membership_id", "memberships.id", nullable=True),
    _flag("pushed"),  # false: known by its logins only, or deleted by the IdP; invisible to SCIM
    _flag("active", default=True),
    _flag("holds_out"),  # inactive, or deleted and not lifted: the person is out until then
    _required("user_name", Text),
    _required("user_name_ci", Folded),
    Column("external_id", Folded),  # as it came; sorted by
    Column("email_ci", Text),
    _required("display_name", Text),
    Column("asserted_until", Instant),
    _required("document", Json),
    _count("version"),
    _required("created_at", Instant),
    _required("modified_at", Instant),
    *_stands(),
    Index("uq_directory_users_name", "connection_id", "user_name_ci", unique=True,
          sqlite_where=text("pushed = 1"), postgresql_where=text("pushed")),
    UniqueConstraint("membership_id", "connection_id"),
    Index(None, "connection_id", "external_id"),
    Index(None, "connection_id", "email_ci"),
    # When time alone next ends what was named at a login.
    Index("ix_directory_users_asserted", "connection_id", "asserted_until",
          sqlite_where=text("asserted_until IS NOT NULL"), postgresql_where=text("asserted_until IS NOT NULL")),
    Index("ix_directory_users_created", "connection_id", "created_at", "id", sqlite_where=text("pushed = 1"),
          postgresql_where=text("pushed")),
    Index("ix_directory_users_page", "connection_id", "id", sqlite_where=text("pushed = 1"),
          postgresql_where=text("pushed")),
)  # fmt: skip
directory_emails = Table(
    "directory_emails",
    metadata,
    _to("directory_user_id", "directory_users.id", primary_key=True),
    Column("position", SmallInteger, primary_key=True),
    _required("value_ci", Text),
    _required("value", Text),
    Column("type", Text),
    _flag("is_primary"),
    Index(None, "value_ci"),
)
directory_groups = Table(
    "directory_groups",
    metadata,
    _key(),
    _uid(),
    _to("connection_id", "connections.id"),
    _required("source", Text),
    Column("external_id", Text),
    _required("name", Text),
    _required("name_ci", Folded),
    _count("n_members"),
    _count("version"),
    _required("created_at", Instant),
    _required("modified_at", Instant),
    *_stands(),
    _one_of("source", "scim", "asserted"),
    Index("uq_directory_groups_asserted", "connection_id", "name_ci", unique=True,
          sqlite_where=text("source = 'asserted'"), postgresql_where=text("source = 'asserted'")),
    Index(None, "connection_id", "name_ci"),
    Index(None, "connection_id", "external_id"),
    Index("ix_directory_groups_page", "connection_id", "id", sqlite_where=text("source = 'scim'"),
          postgresql_where=text("source = 'scim'")),
)  # fmt: skip
# In so many words: SQLite prepares a statement anew each time it is called with a bound value that may decide whether
# an index of some rows fits, which costs four times what the look-up does.
PUSHED_GROUP = directory_groups.c.source == literal_column("'scim'")
ASSERTED_GROUP = directory_groups.c.source == literal_column("'asserted'")
group_members = Table(
    "group_members",
    metadata,
    _to("group_id", "directory_groups.id", primary_key=True),
    _to("directory_user_id", "directory_users.id", primary_key=True),
    *_stands(),
    Index(None, "directory_user_id", "group_id"),
    sqlite_with_rowid=False,
)

# -- What the product gives, and by which rules ------------------------------------------------------

user_groups = Table(
    "user_groups",
    metadata,
    _key("principals.id"),
    _uid(),
    _to("workspace_id", "workspaces.id"),
    _required("name", Text),
    _required("name_ci", Text),
    _flag("mirror"),  # made by the system for a pushed group: takes no members by hand
    Column("orphan_of", Text),  # the name of the IdP group it mirrored, deleted since
    _required("created_at", Instant),
    *_stands(),
    UniqueConstraint("workspace_id", "name_ci"),
)
user_group_members = Table(
    "user_group_members",
    metadata,
    _to("user_group_id", "user_groups.id", primary_key=True),
    _to("membership_id", "memberships.id", primary_key=True),
    _required("given_by", Text),
    *_stands(),
    Index(None, "membership_id", "user_group_id"),
    sqlite_with_rowid=False,
)
mappings = Table(
    "mappings",
    metadata,
    _key("principals.id"),
    _uid(),
    _to("workspace_id", "workspaces.id"),
    _to("connection_id", "connections.id"),
    _required("match", Text),
    _required("value", Text),
    _required("value_ci", Text),
    _flag("enabled", default=True),
    _required("origin", Text),
    _required("made_by", Text),
    _required("created_at", Instant),
    *_stands(),
    _one_of("match", "id", "external_id", "name", "glob"),
    _one_of("origin", "admin", "mirror", "link"),
    Index(None, "connection_id", "match", "value_ci"),
    Index(None, "workspace_id"),
)
mapping_user_groups = Table(
    "mapping_user_groups",
    metadata,
    _to("mapping_id", "mappings.id", primary_key=True),
    _to("user_group_id", "user_groups.id", primary_key=True),
    *_stands(),
    Index(None, "user_group_id", "mapping_id"),
    sqlite_with_rowid=False,
)
# The one thing kept ready: pairs that give something now (rule on, connection enabled, group matches).
mapping_matches = Table(
    "mapping_matches",
    metadata,
    _to("group_id", "directory_groups.id", primary_key=True),
    _to("mapping_id", "mappings.id", primary_key=True),
    _flag("asserted"),
    _flag("shadowed"),  # asserted, and a pushed group of the connection has its name or external id
    *_stands(),
    Index(None, "mapping_id", "group_id"),
    sqlite_with_rowid=False,
)
grants = Table(  # never changed: an edit ends one and makes another
    "grants",
    metadata,
    _key(),
    _uid(),
    _to("principal_id", "principals.id"),
    _required("role", Text),
    _required("scope", Text),
    Column("expires_at", Instant),
    _required("given_by", Text),
    *_stands(),
    _one_of("scope", "all", "list", "labels"),
    Index(None, "principal_id", "role"),
    Index("ix_grants_expiring", "expires_at", sqlite_where=text("expires_at IS NOT NULL"),
          postgresql_where=text("expires_at IS NOT NULL")),
    # Who has a role by hand, for questions that begin at a resource: not what everybody has.
    Index("ix_grants_reaching", "role", "principal_id", sqlite_where=text("role <> 'minimal_workspace_access'"),
          postgresql_where=text("role <> 'minimal_workspace_access'")),
)  # fmt: skip
grant_resources = Table(
    "grant_resources",
    metadata,
    _to("grant_id", "grants.id", primary_key=True),
    _to("resource_id", "resources.id", primary_key=True),
    *_stands(),
    Index(None, "resource_id"),
    sqlite_with_rowid=False,
)
grant_labels = Table(  # one value a key, so that no grant is unsatisfiable
    "grant_labels",
    metadata,
    _to("grant_id", "grants.id", primary_key=True),
    Column("key", Text, primary_key=True),
    _required("value", Text),
    *_stands(),
    sqlite_with_rowid=False,
)
resources = Table(
    "resources",
    metadata,
    _key(),
    _required("uid", Text),
    _to("workspace_id", "workspaces.id"),
    _required("type", Text),
    _required("name", Text),
    _required("slug", Text),
    *_stands(),
    UniqueConstraint("workspace_id", "type", "uid"),
    _one_of("type", "source", "warehouse", "function", "space", "tracking_plan"),
)
resource_labels = Table(
    "resource_labels",
    metadata,
    _to("resource_id", "resources.id", primary_key=True),
    Column("key", Text, primary_key=True),
    _required("value", Text),
    *_stands(),
    Index(None, "key", "value"),
    sqlite_with_rowid=False,
)
labels = Table(
    "labels",
    metadata,
    _to("workspace_id", "workspaces.id", primary_key=True),
    Column("key", Text, primary_key=True),
    Column("value", Text, primary_key=True),
    Column("description", Text, nullable=False, server_default=text("''")),
    sqlite_with_rowid=False,
)

# -- Ways in: invitations, tokens, sessions ----------------------------------------------------------

invites = Table(
    "invites",
    metadata,
    _key(),
    _uid(),
    Column("hash", LargeBinary, nullable=False, unique=True),
    _to("workspace_id", "workspaces.id"),
    _required("email", Text),
    _required("email_ci", Text),
    _required("gives", Json),  # {"roles": [{"role", "scope"}], "user_groups": [uid]}
    _required("invited_by", Text),
    _required("created_at", Instant),
    _required("expires_at", Instant),
    Column("used_at", Instant),
    Column("revoked_at", Instant),
    Index("uq_invites_pending", "workspace_id", "email_ci", unique=True,
          sqlite_where=text("used_at IS NULL AND revoked_at IS NULL"),
          postgresql_where=text("used_at IS NULL AND revoked_at IS NULL")),
)  # fmt: skip
access_requests = Table(
    "access_requests",
    metadata,
    _key(),
    _uid(),
    _to("membership_id", "memberships.id"),
    _required("role", Text),
    _to("resource_id", "resources.id", nullable=True),
    _required("message", Text),
    _required("created_at", Instant),
    Index(None, "resource_id"),
    Index(None, "membership_id"),
)
tokens = Table(
    "tokens",
    metadata,
    _key(),
    _uid(),
    Column("hash", LargeBinary, nullable=False, unique=True),
    _to("workspace_id", "workspaces.id"),
    _required("kind", Text),
    _to("connection_id", "connections.id", nullable=True),  # scim, scim_client
    _to("principal_id", "principals.id", nullable=True),  # api: what its grants hang on
    _to("made_by_membership", "memberships.id", nullable=True),  # null: made by the operator
    _required("made_by", Text),
    _required("description", Text),
    _required("created_at", Instant),
    Column("expires_at", Instant),
    Column("last_used_at", Instant),
    Column("former_hash", LargeBinary),  # scim_client: of the secret before this one,
    Column("former_until", Instant),  # which works on until then
    _one_of("kind", "scim", "scim_client", "api"),
    Index(None, "connection_id"),
    Index(None, "principal_id"),
    Index(None, "made_by_membership"),
    Index(None, "workspace_id"),
)
access_tokens = Table(  # what a scim_client was given for its secret, for an hour
    "access_tokens",
    metadata,
    Column("hash", LargeBinary, primary_key=True),
    Column("token_id", Id, ForeignKey("tokens.id", ondelete="CASCADE"), nullable=False),
    _required("expires_at", Instant),
    Index(None, "token_id", "expires_at"),
    Index(None, "expires_at"),
)
sessions = Table(
    "sessions",
    metadata,
    _key(),
    _uid(),
    Column("hash", LargeBinary, nullable=False, unique=True),
    _to("user_id", "users.id"),
    _required("created_at", Instant),
    _required("ends_at", Instant),
    _required("seen_at", Instant),
    Column("proved_at", Instant),  # the account's own password or factor was shown in it
    Column("resumed_at", Instant),  # used again after a quarter of an hour without use, last
    _required("user_agent", Text),
    _required("address", Text),
    Index(None, "user_id"),
    Index(None, "ends_at"),
)
authentications = Table(  # a session holds several; each vouches for what its kind vouches for
    "authentications",
    metadata,
    _key(),
    Column("session_id", Id, ForeignKey("sessions.id", ondelete="CASCADE"), nullable=False),
    _required("kind", Text),
    _to("connection_id", "connections.id", nullable=True),
    _required("subject", Text),
    Column("name_id", Text),
    Column("name_id_format", Text),
    Column("name_qualifier", Text),
    Column("session_index", Text),  # its IdP's session; of a passkey, which one it was
    Column("logout_hint_enc", LargeBinary),  # for its IdP at the end: ID token, whole NameID
    _required("at", Instant),
    Column("ends_at", Instant),
    _required("groups", Json),
    Column("factor", Text),  # what else was shown at that login
    _one_of("kind", "saml", "oidc", "twilio", "password", "passkey"),
    _one_of("factor", "totp", "recovery_code", "mailed_code", "passkey", "provider"),
    Index(None, "session_id"),
    Index(None, "connection_id", "subject"),
    Index(None, "connection_id", "name_id"),
)
break_glass_codes = Table(  # each opens its workspace once, for an hour, together with its owner's own login
    "break_glass_codes",
    metadata,
    _key(),
    Column("hash", LargeBinary, nullable=False, unique=True),
    _to("membership_id", "memberships.id"),
    _required("made_by", Text),
    _required("created_at", Instant),
    Column("expires_at", Instant),
    Column("used_at", Instant),
    Index(None, "membership_id"),
)
break_glass_openings = Table(  # what a code opened: one workspace, to one session
    "break_glass_openings",
    metadata,
    Column("session_id", Id, ForeignKey("sessions.id", ondelete="CASCADE"), primary_key=True),
    _to("membership_id", "memberships.id", primary_key=True),
    _required("at", Instant),
    _required("ends_at", Instant),
    Index(None, "membership_id"),
)
pending_requests = Table(  # what waits to be finished once, found by the hash of a secret
    "pending_requests",
    metadata,
    Column("hash", LargeBinary, primary_key=True),
    _required("kind", Text),
    _to("connection_id", "connections.id", nullable=True),
    _to("user_id", "users.id", nullable=True),
    Column("browser_hash", LargeBinary),
    _required("return_to", Text),
    Column("result", Json),
    _required("expires_at", Instant),
    _one_of("kind", "handle", "prove", "link", "test", "tested", "logout",
            "factor", "enrol", "passkey", "mailed_code", "reset", "verify_email", "change_email",
            "twilio_arrival", "twilio_link", "twilio_email"),
    Index(None, "connection_id"),
    Index(None, "user_id"),
    Index(None, "expires_at"),
)  # fmt: skip
ended_logins = Table(  # an IdP said that these ended: what it said of them before signs nobody in any more
    "ended_logins",
    metadata,
    _key(),
    _to("connection_id", "connections.id"),
    _required("name_id", Text),
    Column("name_id_format", Text),
    Column("name_qualifier", Text),
    _required("session_indexes", Json),  # none: all
    _required("said_at", Instant),
    _required("expires_at", Instant),
    Index(None, "connection_id", "name_id"),
    Index(None, "expires_at"),
)
seen = Table(
    "seen",
    metadata,
    Column("hash", LargeBinary, primary_key=True),
    _required("expires_at", Instant),
    Index(None, "expires_at"),
)
counters = Table(
    "counters",
    metadata,
    Column("key", Text, primary_key=True),
    _required("window_start", Instant),
    _required("n", Integer),
)

# -- Records -----------------------------------------------------------------------------------------

sign_in_attempts = Table(
    "sign_in_attempts",
    metadata,
    _key(),
    Column("ref", Text, nullable=False, unique=True),
    _to("workspace_id", "workspaces.id", nullable=True),
    _to("connection_id", "connections.id", nullable=True),
    _to("user_id", "users.id", nullable=True),  # whose password it was about, where no workspace proved the domain
    _required("at", Instant),
    _required("last_at", Instant),  # of as many as `times` says, past the limit of those kept one by one
    _required("times", Integer),
    _required("kind", Text),
    _required("outcome", Text),
    _required("code", Text),
    _required("text", Text),
    _required("check", Text),
    _required("test", Boolean),
    _required("email", Text),
    _required("email_ci", Text),
    _required("address", Text),
    _required("agent", Text),
    _required("steps", Json),
    Column("message", Text),  # decoded, without secrets, cut
    Column("would", Json),  # what a test found out
    _one_of("outcome", "signed_in", "refused", "test_passed", "password_reset"),
    Index(None, "at"),
    Index(None, "connection_id", "at"),
    Index(
        "ix_sign_in_attempts_signed_in",
        "connection_id",
        "at",
        sqlite_where=text("outcome = 'signed_in'"),
        postgresql_where=text("outcome = 'signed_in'"),
    ),
    Index(None, "user_id", "at"),
    Index(None, "workspace_id", "at"),
)
provisioning_requests = Table(
    "provisioning_requests",
    metadata,
    _key(),
    _to("connection_id", "connections.id"),
    _required("at", Instant),
    _required("method", Text),
    _required("path", Text),
    _required("status", Integer),
    _required("outcome", Text),
    _required("sentence", Text),
    _required("about_ci", Text),  # whom and what it names, to search in
    _required("cause", BigInteger),  # of the change that it made; a number of its own where it made none
    Column("request", Json),  # blacked out and shortened, as is the answer
    Column("answer", Json),
    _one_of("outcome", "changed", "unchanged", "read", "refused"),
    Index(None, "connection_id", "at"),
    Index("ix_provisioning_requests_refused", "connection_id", "at", sqlite_where=text("outcome = 'refused'"),
          postgresql_where=text("outcome = 'refused'")),
)  # fmt: skip
audit = Table(
    "audit",
    metadata,
    _to("workspace_id", "workspaces.id", primary_key=True),
    Column("seq", BigInteger, primary_key=True, autoincrement=False),
    _required("at", Instant),
    _required("cause", BigInteger),
    _required("actor", Text),  # user:UID, connection:UID, token:UID, operator, system
    _required("type", Text),
    _required("subject", Text),
    Column("before", Json),
    Column("after", Json),
    Index(None, "cause"),
    Index(None, "workspace_id", "subject"),
    sqlite_with_rowid=False,
)
outbox = Table(
    "outbox",
    metadata,
    _key(),
    _required("kind", Text),
    _required("subject", Text),
    _required("body", Json),
    _required("due_at", Instant),
    _required("tries", Integer),
    _required("created_at", Instant),
    Column("last_error", Text),
    Column("given_up_at", Instant),  # the row stays for a while without its body, so that an operator sees it
    Index(None, "due_at"),
)
expiry_warnings = Table(  # which were given of what ends by itself: each once
    "expiry_warnings",
    metadata,
    Column("mark", Text, primary_key=True),  # a certificate of a connection, or a token
    Column("days", SmallInteger, primary_key=True),  # before the end; 0: it is over
    _required("ends_at", Instant),
    _required("warned_at", Instant),
)
jobs = Table(  # what `bridge worker` does again and again: kept, so that a restart neither skips nor repeats one
    "jobs",
    metadata,
    Column("name", Text, primary_key=True),
    _required("seconds", Integer),  # between runs
    _required("due_at", Instant),  # while one runs it: when it is taken away from them
    Column("claim", Text),  # who runs it
    _required("tries", Integer),  # since it last succeeded
    Column("began_at", Instant),
    Column("good_at", Instant),
    Column("last_error", Text),
)

#: Facts, each with the twin that keeps its ended rows, and by what those are looked for: whatever leads from a person
#: to what they could do.
PAST: dict[Table, Table] = {
    fact: past_twin(fact, metadata, *asked_by)
    for fact, *asked_by in (
        (workspaces, ("id",)),
        (memberships, ("id",)),
        (connections, ("id",)),
        (directory_users, ("membership_id",)),
        (directory_groups, ("id",), ("connection_id",)),
        (group_members, ("directory_user_id",)),
        (user_groups, ("id",)),
        (user_group_members, ("membership_id",)),
        (mappings, ("id",), ("connection_id",)),
        (mapping_user_groups, ("mapping_id",)),
        (mapping_matches, ("group_id",)),
        (grants, ("principal_id",)),
        (grant_resources, ("grant_id",)),
        (grant_labels, ("grant_id",)),
        (resources, ("id",), ("workspace_id", "type", "uid")),
        (resource_labels, ("resource_id",)),
    )
}
#: From when on everything above is known: what ended before may have been forgotten. No row: from the beginning.
kept_since = Table(
    "kept_since",
    metadata,
    Column("what", Text, primary_key=True),
    _required("at", Instant),
    _one_of("what", "facts"),
)

# When whoever is back in was last held out: a session from before that stays ended, whatever became of the record.
_held = PAST[directory_users].c
Index("ix_directory_users_past_held", _held.membership_id, _held.until,
      sqlite_where=text("holds_out = 1"), postgresql_where=text("holds_out"))  # fmt: skip
