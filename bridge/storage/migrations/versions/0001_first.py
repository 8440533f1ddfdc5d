"""All tables."""

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None

ID = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    _connections_past()
    _counters()
    _directory_groups_past()
    _directory_users_past()
    _expiry_warnings()
    _grant_labels_past()
    _grant_resources_past()
    _grants_past()
    _group_members_past()
    _jobs()
    _kept_since()
    _mapping_matches_past()
    _mapping_user_groups_past()
    _mappings_past()
    _memberships_past()
    _outbox()
    _resource_labels_past()
    _resources_past()
    _seen()
    _twilio_documents()
    _user_group_members_past()
    _user_groups_past()
    _users()
    _workspaces()
    _workspaces_past()
    _audit()
    _connections()
    _invites()
    _labels()
    _principals()
    _recovery_codes()
    _resources()
    _second_factors()
    _sessions()
    _authentications()
    _directory_groups()
    _domains()
    _ended_logins()
    _grants()
    _identities()
    _mappings()
    _memberships()
    _metadata_refreshes()
    _pending_requests()
    _provider_keys()
    _provisioning_requests()
    _resource_labels()
    _sign_in_attempts()
    _user_groups()
    _access_requests()
    _break_glass_codes()
    _break_glass_openings()
    _directory_users()
    _grant_labels()
    _grant_resources()
    _mapping_matches()
    _mapping_user_groups()
    _tokens()
    _user_group_members()
    _access_tokens()
    _directory_emails()
    _group_members()


def _connections_past() -> None:
    op.create_table(
        "connections_past",
        sa.Column("id", ID, nullable=False),
        sa.Column("uid", sa.Text(), nullable=False),
        sa.Column("workspace_id", ID, nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("enabled", sa.Boolean(), nullable=False),
        sa.Column("config", sa.Text(), nullable=False),
        sa.Column("secrets_enc", sa.LargeBinary(), nullable=True),
        sa.Column("version", sa.BigInteger(), nullable=False),
        sa.Column("n_users", sa.BigInteger(), nullable=False),
        sa.Column("n_groups", sa.BigInteger(), nullable=False),
        sa.Column("created_at", sa.BigInteger(), nullable=False),
        sa.Column("since", sa.BigInteger(), nullable=False),
        sa.Column("cause", sa.BigInteger(), nullable=False),
        sa.Column("until", sa.BigInteger(), nullable=False),
        sa.Column("ended_by", sa.BigInteger(), nullable=False),
    )
    op.create_index("ix_connections_past_id", "connections_past", ["id", "until"], unique=False)


def _counters() -> None:
    op.create_table(
        "counters",
        sa.Column("key", sa.Text(), nullable=False),
        sa.Column("window_start", sa.BigInteger(), nullable=False),
        sa.Column("n", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("key", name=op.f("pk_counters")),
    )


def _directory_groups_past() -> None:
    op.create_table(
        "directory_groups_past",
        sa.Column("id", ID, nullable=False),
        sa.Column("uid", sa.Text(), nullable=False),
        sa.Column("connection_id", ID, nullable=False),
        sa.Column("source", sa.Text(), nullable=False),
        sa.Column("external_id", sa.Text(), nullable=True),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("name_ci", sa.Text().with_variant(sa.Text(collation="C"), "postgresql"), nullable=False),
        sa.Column("n_members", sa.BigInteger(), nullable=False),
        sa.Column("version", sa.BigInteger(), nullable=False),
        sa.Column("created_at", sa.BigInteger(), nullable=False),
        sa.Column("modified_at", sa.BigInteger(), nullable=False),
        sa.Column("since", sa.BigInteger(), nullable=False),
        sa.Column("cause", sa.BigInteger(), nullable=False),
        sa.Column("until", sa.BigInteger(), nullable=False),
        sa.Column("ended_by", sa.BigInteger(), nullable=False),
    )
    op.create_index(
        "ix_directory_groups_past_connection_id", "directory_groups_past", ["connection_id", "until"], unique=False
    )
    op.create_index("ix_directory_groups_past_id", "directory_groups_past", ["id", "until"], unique=False)


def _directory_users_past() -> None:
    op.create_table(
        "directory_users_past",
        sa.Column("id", ID, nullable=False),
        sa.Column("uid", sa.Text(), nullable=False),
        sa.Column("connection_id", ID, nullable=False),
        sa.Column("membership_id", ID, nullable=True),
        sa.Column("pushed", sa.Boolean(), nullable=False),
        sa.Column("active", sa.Boolean(), nullable=False),
        sa.Column("holds_out", sa.Boolean(), nullable=False),
        sa.Column("user_name", sa.Text(), nullable=False),
        sa.Column("user_name_ci", sa.Text().with_variant(sa.Text(collation="C"), "postgresql"), nullable=False),
        sa.Column("external_id", sa.Text().with_variant(sa.Text(collation="C"), "postgresql"), nullable=True),
        sa.Column("email_ci", sa.Text(), nullable=True),
        sa.Column("display_name", sa.Text(), nullable=False),
        sa.Column("asserted_until", sa.BigInteger(), nullable=True),
        sa.Column("document", sa.Text(), nullable=False),
        sa.Column("version", sa.BigInteger(), nullable=False),
        sa.Column("created_at", sa.BigInteger(), nullable=False),
        sa.Column("modified_at", sa.BigInteger(), nullable=False),
        sa.Column("since", sa.BigInteger(), nullable=False),
        sa.Column("cause", sa.BigInteger(), nullable=False),
        sa.Column("until", sa.BigInteger(), nullable=False),
        sa.Column("ended_by", sa.BigInteger(), nullable=False),
    )
    op.create_index(
        "ix_directory_users_past_held",
        "directory_users_past",
        ["membership_id", "until"],
        unique=False,
        sqlite_where=sa.text("holds_out = 1"),
        postgresql_where=sa.text("holds_out"),
    )
    op.create_index(
        "ix_directory_users_past_membership_id", "directory_users_past", ["membership_id", "until"], unique=False
    )


def _expiry_warnings() -> None:
    op.create_table(
        "expiry_warnings",
        sa.Column("mark", sa.Text(), nullable=False),
        sa.Column("days", sa.SmallInteger(), nullable=False),
        sa.Column("ends_at", sa.BigInteger(), nullable=False),
        sa.Column("warned_at", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("mark", "days", name=op.f("pk_expiry_warnings")),
    )


def _grant_labels_past() -> None:
    op.create_table(
        "grant_labels_past",
        sa.Column("grant_id", ID, nullable=False),
        sa.Column("key", sa.Text(), nullable=False),
        sa.Column("value", sa.Text(), nullable=False),
        sa.Column("since", sa.BigInteger(), nullable=False),
        sa.Column("cause", sa.BigInteger(), nullable=False),
        sa.Column("until", sa.BigInteger(), nullable=False),
        sa.Column("ended_by", sa.BigInteger(), nullable=False),
    )
    op.create_index("ix_grant_labels_past_grant_id", "grant_labels_past", ["grant_id", "until"], unique=False)


def _grant_resources_past() -> None:
    op.create_table(
        "grant_resources_past",
        sa.Column("grant_id", ID, nullable=False),
        sa.Column("resource_id", ID, nullable=False),
        sa.Column("since", sa.BigInteger(), nullable=False),
        sa.Column("cause", sa.BigInteger(), nullable=False),
        sa.Column("until", sa.BigInteger(), nullable=False),
        sa.Column("ended_by", sa.BigInteger(), nullable=False),
    )
    op.create_index("ix_grant_resources_past_grant_id", "grant_resources_past", ["grant_id", "until"], unique=False)


def _grants_past() -> None:
    op.create_table(
        "grants_past",
        sa.Column("id", ID, nullable=False),
        sa.Column("uid", sa.Text(), nullable=False),
        sa.Column("principal_id", ID, nullable=False),
        sa.Column("role", sa.Text(), nullable=False),
        sa.Column("scope", sa.Text(), nullable=False),
        sa.Column("expires_at", sa.BigInteger(), nullable=True),
        sa.Column("given_by", sa.Text(), nullable=False),
        sa.Column("since", sa.BigInteger(), nullable=False),
        sa.Column("cause", sa.BigInteger(), nullable=False),
        sa.Column("until", sa.BigInteger(), nullable=False),
        sa.Column("ended_by", sa.BigInteger(), nullable=False),
    )
    op.create_index("ix_grants_past_principal_id", "grants_past", ["principal_id", "until"], unique=False)


def _group_members_past() -> None:
    op.create_table(
        "group_members_past",
        sa.Column("group_id", ID, nullable=False),
        sa.Column("directory_user_id", ID, nullable=False),
        sa.Column("since", sa.BigInteger(), nullable=False),
        sa.Column("cause", sa.BigInteger(), nullable=False),
        sa.Column("until", sa.BigInteger(), nullable=False),
        sa.Column("ended_by", sa.BigInteger(), nullable=False),
    )
    op.create_index(
        "ix_group_members_past_directory_user_id", "group_members_past", ["directory_user_id", "until"], unique=False
    )


def _jobs() -> None:
    op.create_table(
        "jobs",
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("seconds", sa.Integer(), nullable=False),
        sa.Column("due_at", sa.BigInteger(), nullable=False),
        sa.Column("claim", sa.Text(), nullable=True),
        sa.Column("tries", sa.Integer(), nullable=False),
        sa.Column("began_at", sa.BigInteger(), nullable=True),
        sa.Column("good_at", sa.BigInteger(), nullable=True),
        sa.Column("last_error", sa.Text(), nullable=True),
        sa.PrimaryKeyConstraint("name", name=op.f("pk_jobs")),
    )


def _kept_since() -> None:
    op.create_table(
        "kept_since",
        sa.Column("what", sa.Text(), nullable=False),
        sa.Column("at", sa.BigInteger(), nullable=False),
        sa.CheckConstraint("what IN ('facts')", name=op.f("ck_kept_since_what")),
        sa.PrimaryKeyConstraint("what", name=op.f("pk_kept_since")),
    )


def _mapping_matches_past() -> None:
    op.create_table(
        "mapping_matches_past",
        sa.Column("group_id", ID, nullable=False),
        sa.Column("mapping_id", ID, nullable=False),
        sa.Column("asserted", sa.Boolean(), nullable=False),
        sa.Column("shadowed", sa.Boolean(), nullable=False),
        sa.Column("since", sa.BigInteger(), nullable=False),
        sa.Column("cause", sa.BigInteger(), nullable=False),
        sa.Column("until", sa.BigInteger(), nullable=False),
        sa.Column("ended_by", sa.BigInteger(), nullable=False),
    )
    op.create_index("ix_mapping_matches_past_group_id", "mapping_matches_past", ["group_id", "until"], unique=False)


def _mapping_user_groups_past() -> None:
    op.create_table(
        "mapping_user_groups_past",
        sa.Column("mapping_id", ID, nullable=False),
        sa.Column("user_group_id", ID, nullable=False),
        sa.Column("since", sa.BigInteger(), nullable=False),
        sa.Column("cause", sa.BigInteger(), nullable=False),
        sa.Column("until", sa.BigInteger(), nullable=False),
        sa.Column("ended_by", sa.BigInteger(), nullable=False),
    )
    op.create_index(
        "ix_mapping_user_groups_past_mapping_id", "mapping_user_groups_past", ["mapping_id", "until"], unique=False
    )


def _mappings_past() -> None:
    op.create_table(
        "mappings_past",
        sa.Column("id", ID, nullable=False),
        sa.Column("uid", sa.Text(), nullable=False),
        sa.Column("workspace_id", ID, nullable=False),
        sa.Column("connection_id", ID, nullable=False),
        sa.Column("match", sa.Text(), nullable=False),
        sa.Column("value", sa.Text(), nullable=False),
        sa.Column("value_ci", sa.Text(), nullable=False),
        sa.Column("enabled", sa.Boolean(), nullable=False),
        sa.Column("origin", sa.Text(), nullable=False),
        sa.Column("made_by", sa.Text(), nullable=False),
        sa.Column("created_at", sa.BigInteger(), nullable=False),
        sa.Column("since", sa.BigInteger(), nullable=False),
        sa.Column("cause", sa.BigInteger(), nullable=False),
        sa.Column("until", sa.BigInteger(), nullable=False),
        sa.Column("ended_by", sa.BigInteger(), nullable=False),
    )
    op.create_index("ix_mappings_past_connection_id", "mappings_past", ["connection_id", "until"], unique=False)
    op.create_index("ix_mappings_past_id", "mappings_past", ["id", "until"], unique=False)


def _memberships_past() -> None:
    op.create_table(
        "memberships_past",
        sa.Column("id", ID, nullable=False),
        sa.Column("uid", sa.Text(), nullable=False),
        sa.Column("workspace_id", ID, nullable=False),
        sa.Column("user_id", ID, nullable=False),
        sa.Column("status", sa.Text(), nullable=False),
        sa.Column("accepted_at", sa.BigInteger(), nullable=True),
        sa.Column("sso_exempt", sa.Boolean(), nullable=False),
        sa.Column("created_at", sa.BigInteger(), nullable=False),
        sa.Column("since", sa.BigInteger(), nullable=False),
        sa.Column("cause", sa.BigInteger(), nullable=False),
        sa.Column("until", sa.BigInteger(), nullable=False),
        sa.Column("ended_by", sa.BigInteger(), nullable=False),
    )
    op.create_index("ix_memberships_past_id", "memberships_past", ["id", "until"], unique=False)


def _outbox() -> None:
    op.create_table(
        "outbox",
        sa.Column("id", ID, nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("subject", sa.Text(), nullable=False),
        sa.Column("body", sa.Text(), nullable=False),
        sa.Column("due_at", sa.BigInteger(), nullable=False),
        sa.Column("tries", sa.Integer(), nullable=False),
        sa.Column("created_at", sa.BigInteger(), nullable=False),
        sa.Column("last_error", sa.Text(), nullable=True),
        sa.Column("given_up_at", sa.BigInteger(), nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_outbox")),
    )
    op.create_index(op.f("ix_outbox_due_at"), "outbox", ["due_at"], unique=False)


def _resource_labels_past() -> None:
    op.create_table(
        "resource_labels_past",
        sa.Column("resource_id", ID, nullable=False),
        sa.Column("key", sa.Text(), nullable=False),
        sa.Column("value", sa.Text(), nullable=False),
        sa.Column("since", sa.BigInteger(), nullable=False),
        sa.Column("cause", sa.BigInteger(), nullable=False),
        sa.Column("until", sa.BigInteger(), nullable=False),
        sa.Column("ended_by", sa.BigInteger(), nullable=False),
    )
    op.create_index(
        "ix_resource_labels_past_resource_id", "resource_labels_past", ["resource_id", "until"], unique=False
    )


def _resources_past() -> None:
    op.create_table(
        "resources_past",
        sa.Column("id", ID, nullable=False),
        sa.Column("uid", sa.Text(), nullable=False),
        sa.Column("workspace_id", ID, nullable=False),
        sa.Column("type", sa.Text(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("slug", sa.Text(), nullable=False),
        sa.Column("since", sa.BigInteger(), nullable=False),
        sa.Column("cause", sa.BigInteger(), nullable=False),
        sa.Column("until", sa.BigInteger(), nullable=False),
        sa.Column("ended_by", sa.BigInteger(), nullable=False),
    )
    op.create_index("ix_resources_past_id", "resources_past", ["id", "until"], unique=False)
    op.create_index(
        "ix_resources_past_workspace_id_type_uid",
        "resources_past",
        ["workspace_id", "type", "uid", "until"],
        unique=False,
    )


def _seen() -> None:
    op.create_table(
        "seen",
        sa.Column("hash", sa.LargeBinary(), nullable=False),
        sa.Column("expires_at", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("hash", name=op.f("pk_seen")),
    )
    op.create_index(op.f("ix_seen_expires_at"), "seen", ["expires_at"], unique=False)


def _twilio_documents() -> None:
    op.create_table(
        "twilio_documents",
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("url", sa.Text(), nullable=False),
        sa.Column("body", sa.LargeBinary(), nullable=False),
        sa.Column("read_at", sa.BigInteger(), nullable=False),
        sa.CheckConstraint("name IN ('discovery', 'keys')", name=op.f("ck_twilio_documents_name")),
        sa.PrimaryKeyConstraint("name", name=op.f("pk_twilio_documents")),
    )


def _user_group_members_past() -> None:
    op.create_table(
        "user_group_members_past",
        sa.Column("user_group_id", ID, nullable=False),
        sa.Column("membership_id", ID, nullable=False),
        sa.Column("given_by", sa.Text(), nullable=False),
        sa.Column("since", sa.BigInteger(), nullable=False),
        sa.Column("cause", sa.BigInteger(), nullable=False),
        sa.Column("until", sa.BigInteger(), nullable=False),
        sa.Column("ended_by", sa.BigInteger(), nullable=False),
    )
    op.create_index(
        "ix_user_group_members_past_membership_id", "user_group_members_past", ["membership_id", "until"], unique=False
    )


def _user_groups_past() -> None:
    op.create_table(
        "user_groups_past",
        sa.Column("id", ID, nullable=False),
        sa.Column("uid", sa.Text(), nullable=False),
        sa.Column("workspace_id", ID, nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("name_ci", sa.Text(), nullable=False),
        sa.Column("mirror", sa.Boolean(), nullable=False),
        sa.Column("orphan_of", sa.Text(), nullable=True),
        sa.Column("created_at", sa.BigInteger(), nullable=False),
        sa.Column("since", sa.BigInteger(), nullable=False),
        sa.Column("cause", sa.BigInteger(), nullable=False),
        sa.Column("until", sa.BigInteger(), nullable=False),
        sa.Column("ended_by", sa.BigInteger(), nullable=False),
    )
    op.create_index("ix_user_groups_past_id", "user_groups_past", ["id", "until"], unique=False)


def _users() -> None:
    op.create_table(
        "users",
        sa.Column("id", ID, nullable=False),
        sa.Column("uid", sa.Text(), nullable=False),
        sa.Column("email", sa.Text(), nullable=False),
        sa.Column("email_ci", sa.Text(), nullable=False),
        sa.Column("email_proved_at", sa.BigInteger(), nullable=True),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("password_hash", sa.Text(), nullable=True),
        sa.Column("twilio_sub", sa.Text(), nullable=True),
        sa.Column("twilio_email", sa.Text(), nullable=True),
        sa.Column("twilio_told_at", sa.BigInteger(), nullable=True),
        sa.Column("created_at", sa.BigInteger(), nullable=False),
        sa.Column("closed_at", sa.BigInteger(), nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_users")),
        sa.UniqueConstraint("uid", name=op.f("uq_users_uid")),
    )
    op.create_index(
        "ix_users_closed",
        "users",
        ["email_ci"],
        unique=False,
        sqlite_where=sa.text("closed_at IS NOT NULL"),
        postgresql_where=sa.text("closed_at IS NOT NULL"),
    )
    op.create_index(
        "uq_users_email",
        "users",
        ["email_ci"],
        unique=True,
        sqlite_where=sa.text("closed_at IS NULL"),
        postgresql_where=sa.text("closed_at IS NULL"),
    )
    op.create_index(
        "uq_users_twilio_sub",
        "users",
        ["twilio_sub"],
        unique=True,
        sqlite_where=sa.text("twilio_sub IS NOT NULL"),
        postgresql_where=sa.text("twilio_sub IS NOT NULL"),
    )


def _workspaces() -> None:
    op.create_table(
        "workspaces",
        sa.Column("id", ID, nullable=False),
        sa.Column("uid", sa.Text(), nullable=False),
        sa.Column("slug", sa.Text(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("plan", sa.Text(), nullable=False),
        sa.Column("require_sso", sa.Boolean(), server_default=sa.text("false"), nullable=False),
        sa.Column("require_mfa", sa.Boolean(), server_default=sa.text("false"), nullable=False),
        sa.Column("refuse_mailed_codes", sa.Boolean(), server_default=sa.text("false"), nullable=False),
        sa.Column("hipaa", sa.Boolean(), server_default=sa.text("false"), nullable=False),
        sa.Column("rev", sa.BigInteger(), server_default=sa.text("0"), nullable=False),
        sa.Column("audit_seq", sa.BigInteger(), server_default=sa.text("0"), nullable=False),
        sa.Column("created_at", sa.BigInteger(), nullable=False),
        sa.Column("since", sa.BigInteger(), nullable=False),
        sa.Column("cause", sa.BigInteger(), nullable=False),
        sa.CheckConstraint("plan IN ('free', 'team', 'business')", name=op.f("ck_workspaces_plan")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_workspaces")),
        sa.UniqueConstraint("slug", name=op.f("uq_workspaces_slug")),
        sa.UniqueConstraint("uid", name=op.f("uq_workspaces_uid")),
    )


def _workspaces_past() -> None:
    op.create_table(
        "workspaces_past",
        sa.Column("id", ID, nullable=False),
        sa.Column("uid", sa.Text(), nullable=False),
        sa.Column("slug", sa.Text(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("plan", sa.Text(), nullable=False),
        sa.Column("require_sso", sa.Boolean(), nullable=False),
        sa.Column("require_mfa", sa.Boolean(), nullable=False),
        sa.Column("refuse_mailed_codes", sa.Boolean(), nullable=False),
        sa.Column("hipaa", sa.Boolean(), nullable=False),
        sa.Column("rev", sa.BigInteger(), nullable=False),
        sa.Column("audit_seq", sa.BigInteger(), nullable=False),
        sa.Column("created_at", sa.BigInteger(), nullable=False),
        sa.Column("since", sa.BigInteger(), nullable=False),
        sa.Column("cause", sa.BigInteger(), nullable=False),
        sa.Column("until", sa.BigInteger(), nullable=False),
        sa.Column("ended_by", sa.BigInteger(), nullable=False),
    )
    op.create_index("ix_workspaces_past_id", "workspaces_past", ["id", "until"], unique=False)


def _audit() -> None:
    op.create_table(
        "audit",
        sa.Column("workspace_id", ID, nullable=False),
        sa.Column("seq", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("at", sa.BigInteger(), nullable=False),
        sa.Column("cause", sa.BigInteger(), nullable=False),
        sa.Column("actor", sa.Text(), nullable=False),
        sa.Column("type", sa.Text(), nullable=False),
        sa.Column("subject", sa.Text(), nullable=False),
        sa.Column("before", sa.Text(), nullable=True),
        sa.Column("after", sa.Text(), nullable=True),
        sa.ForeignKeyConstraint(["workspace_id"], ["workspaces.id"], name=op.f("fk_audit_workspace_id")),
        sa.PrimaryKeyConstraint("workspace_id", "seq", name=op.f("pk_audit")),
        sqlite_with_rowid=False,
    )
    op.create_index(op.f("ix_audit_cause"), "audit", ["cause"], unique=False)
    op.create_index(op.f("ix_audit_workspace_id_subject"), "audit", ["workspace_id", "subject"], unique=False)


def _connections() -> None:
    op.create_table(
        "connections",
        sa.Column("id", ID, nullable=False),
        sa.Column("uid", sa.Text(), nullable=False),
        sa.Column("workspace_id", ID, nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("enabled", sa.Boolean(), server_default=sa.text("true"), nullable=False),
        sa.Column("config", sa.Text(), nullable=False),
        sa.Column("secrets_enc", sa.LargeBinary(), nullable=True),
        sa.Column("version", sa.BigInteger(), server_default=sa.text("0"), nullable=False),
        sa.Column("n_users", sa.BigInteger(), server_default=sa.text("0"), nullable=False),
        sa.Column("n_groups", sa.BigInteger(), server_default=sa.text("0"), nullable=False),
        sa.Column("created_at", sa.BigInteger(), nullable=False),
        sa.Column("since", sa.BigInteger(), nullable=False),
        sa.Column("cause", sa.BigInteger(), nullable=False),
        sa.CheckConstraint("kind IN ('saml', 'oidc')", name=op.f("ck_connections_kind")),
        sa.ForeignKeyConstraint(["workspace_id"], ["workspaces.id"], name=op.f("fk_connections_workspace_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_connections")),
        sa.UniqueConstraint("uid", name=op.f("uq_connections_uid")),
    )
    op.create_index(op.f("ix_connections_workspace_id"), "connections", ["workspace_id"], unique=False)


def _invites() -> None:
    op.create_table(
        "invites",
        sa.Column("id", ID, nullable=False),
        sa.Column("uid", sa.Text(), nullable=False),
        sa.Column("hash", sa.LargeBinary(), nullable=False),
        sa.Column("workspace_id", ID, nullable=False),
        sa.Column("email", sa.Text(), nullable=False),
        sa.Column("email_ci", sa.Text(), nullable=False),
        sa.Column("gives", sa.Text(), nullable=False),
        sa.Column("invited_by", sa.Text(), nullable=False),
        sa.Column("created_at", sa.BigInteger(), nullable=False),
        sa.Column("expires_at", sa.BigInteger(), nullable=False),
        sa.Column("used_at", sa.BigInteger(), nullable=True),
        sa.Column("revoked_at", sa.BigInteger(), nullable=True),
        sa.ForeignKeyConstraint(["workspace_id"], ["workspaces.id"], name=op.f("fk_invites_workspace_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_invites")),
        sa.UniqueConstraint("hash", name=op.f("uq_invites_hash")),
        sa.UniqueConstraint("uid", name=op.f("uq_invites_uid")),
    )
    op.create_index(
        "uq_invites_pending",
        "invites",
        ["workspace_id", "email_ci"],
        unique=True,
        sqlite_where=sa.text("used_at IS NULL AND revoked_at IS NULL"),
        postgresql_where=sa.text("used_at IS NULL AND revoked_at IS NULL"),
    )


def _labels() -> None:
    op.create_table(
        "labels",
        sa.Column("workspace_id", ID, nullable=False),
        sa.Column("key", sa.Text(), nullable=False),
        sa.Column("value", sa.Text(), nullable=False),
        sa.Column("description", sa.Text(), server_default=sa.text("''"), nullable=False),
        sa.ForeignKeyConstraint(["workspace_id"], ["workspaces.id"], name=op.f("fk_labels_workspace_id")),
        sa.PrimaryKeyConstraint("workspace_id", "key", "value", name=op.f("pk_labels")),
        sqlite_with_rowid=False,
    )


def _principals() -> None:
    op.create_table(
        "principals",
        sa.Column("id", ID, nullable=False),
        sa.Column("workspace_id", ID, nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.CheckConstraint("kind IN ('membership', 'user_group', 'mapping', 'token')", name=op.f("ck_principals_kind")),
        sa.ForeignKeyConstraint(["workspace_id"], ["workspaces.id"], name=op.f("fk_principals_workspace_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_principals")),
    )
    op.create_index(op.f("ix_principals_workspace_id"), "principals", ["workspace_id"], unique=False)


def _recovery_codes() -> None:
    op.create_table(
        "recovery_codes",
        sa.Column("hash", sa.LargeBinary(), nullable=False),
        sa.Column("user_id", ID, nullable=False),
        sa.ForeignKeyConstraint(["user_id"], ["users.id"], name=op.f("fk_recovery_codes_user_id")),
        sa.PrimaryKeyConstraint("hash", name=op.f("pk_recovery_codes")),
    )
    op.create_index(op.f("ix_recovery_codes_user_id"), "recovery_codes", ["user_id"], unique=False)


def _resources() -> None:
    op.create_table(
        "resources",
        sa.Column("id", ID, nullable=False),
        sa.Column("uid", sa.Text(), nullable=False),
        sa.Column("workspace_id", ID, nullable=False),
        sa.Column("type", sa.Text(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("slug", sa.Text(), nullable=False),
        sa.Column("since", sa.BigInteger(), nullable=False),
        sa.Column("cause", sa.BigInteger(), nullable=False),
        sa.CheckConstraint(
            "type IN ('source', 'warehouse', 'function', 'space', 'tracking_plan')", name=op.f("ck_resources_type")
        ),
        sa.ForeignKeyConstraint(["workspace_id"], ["workspaces.id"], name=op.f("fk_resources_workspace_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_resources")),
        sa.UniqueConstraint("workspace_id", "type", "uid", name=op.f("uq_resources_workspace_id_type_uid")),
    )


def _second_factors() -> None:
    op.create_table(
        "second_factors",
        sa.Column("id", ID, nullable=False),
        sa.Column("uid", sa.Text(), nullable=False),
        sa.Column("user_id", ID, nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("name", sa.Text(), server_default=sa.text("''"), nullable=False),
        sa.Column("data_enc", sa.LargeBinary(), nullable=False),
        sa.Column("last_step", sa.BigInteger(), nullable=True),
        sa.Column("credential", sa.LargeBinary(), nullable=True),
        sa.Column("created_at", sa.BigInteger(), nullable=False),
        sa.Column("used_at", sa.BigInteger(), nullable=True),
        sa.CheckConstraint("kind IN ('totp', 'passkey')", name=op.f("ck_second_factors_kind")),
        sa.ForeignKeyConstraint(["user_id"], ["users.id"], name=op.f("fk_second_factors_user_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_second_factors")),
        sa.UniqueConstraint("credential", name=op.f("uq_second_factors_credential")),
        sa.UniqueConstraint("uid", name=op.f("uq_second_factors_uid")),
    )
    op.create_index(op.f("ix_second_factors_user_id"), "second_factors", ["user_id"], unique=False)


def _sessions() -> None:
    op.create_table(
        "sessions",
        sa.Column("id", ID, nullable=False),
        sa.Column("uid", sa.Text(), nullable=False),
        sa.Column("hash", sa.LargeBinary(), nullable=False),
        sa.Column("user_id", ID, nullable=False),
        sa.Column("created_at", sa.BigInteger(), nullable=False),
        sa.Column("ends_at", sa.BigInteger(), nullable=False),
        sa.Column("seen_at", sa.BigInteger(), nullable=False),
        sa.Column("proved_at", sa.BigInteger(), nullable=True),
        sa.Column("resumed_at", sa.BigInteger(), nullable=True),
        sa.Column("user_agent", sa.Text(), nullable=False),
        sa.Column("address", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(["user_id"], ["users.id"], name=op.f("fk_sessions_user_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_sessions")),
        sa.UniqueConstraint("hash", name=op.f("uq_sessions_hash")),
        sa.UniqueConstraint("uid", name=op.f("uq_sessions_uid")),
    )
    op.create_index(op.f("ix_sessions_ends_at"), "sessions", ["ends_at"], unique=False)
    op.create_index(op.f("ix_sessions_user_id"), "sessions", ["user_id"], unique=False)


def _authentications() -> None:
    op.create_table(
        "authentications",
        sa.Column("id", ID, nullable=False),
        sa.Column("session_id", ID, nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("connection_id", ID, nullable=True),
        sa.Column("subject", sa.Text(), nullable=False),
        sa.Column("name_id", sa.Text(), nullable=True),
        sa.Column("name_id_format", sa.Text(), nullable=True),
        sa.Column("name_qualifier", sa.Text(), nullable=True),
        sa.Column("session_index", sa.Text(), nullable=True),
        sa.Column("logout_hint_enc", sa.LargeBinary(), nullable=True),
        sa.Column("at", sa.BigInteger(), nullable=False),
        sa.Column("ends_at", sa.BigInteger(), nullable=True),
        sa.Column("groups", sa.Text(), nullable=False),
        sa.Column("factor", sa.Text(), nullable=True),
        sa.CheckConstraint(
            "factor IN ('totp', 'recovery_code', 'mailed_code', 'passkey', 'provider')",
            name=op.f("ck_authentications_factor"),
        ),
        sa.CheckConstraint(
            "kind IN ('saml', 'oidc', 'twilio', 'password', 'passkey')", name=op.f("ck_authentications_kind")
        ),
        sa.ForeignKeyConstraint(["connection_id"], ["connections.id"], name=op.f("fk_authentications_connection_id")),
        sa.ForeignKeyConstraint(
            ["session_id"], ["sessions.id"], name=op.f("fk_authentications_session_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_authentications")),
    )
    op.create_index(
        op.f("ix_authentications_connection_id_name_id"), "authentications", ["connection_id", "name_id"], unique=False
    )
    op.create_index(
        op.f("ix_authentications_connection_id_subject"), "authentications", ["connection_id", "subject"], unique=False
    )
    op.create_index(op.f("ix_authentications_session_id"), "authentications", ["session_id"], unique=False)


def _directory_groups() -> None:
    op.create_table(
        "directory_groups",
        sa.Column("id", ID, nullable=False),
        sa.Column("uid", sa.Text(), nullable=False),
        sa.Column("connection_id", ID, nullable=False),
        sa.Column("source", sa.Text(), nullable=False),
        sa.Column("external_id", sa.Text(), nullable=True),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("name_ci", sa.Text().with_variant(sa.Text(collation="C"), "postgresql"), nullable=False),
        sa.Column("n_members", sa.BigInteger(), server_default=sa.text("0"), nullable=False),
        sa.Column("version", sa.BigInteger(), server_default=sa.text("0"), nullable=False),
        sa.Column("created_at", sa.BigInteger(), nullable=False),
        sa.Column("modified_at", sa.BigInteger(), nullable=False),
        sa.Column("since", sa.BigInteger(), nullable=False),
        sa.Column("cause", sa.BigInteger(), nullable=False),
        sa.CheckConstraint("source IN ('scim', 'asserted')", name=op.f("ck_directory_groups_source")),
        sa.ForeignKeyConstraint(["connection_id"], ["connections.id"], name=op.f("fk_directory_groups_connection_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_directory_groups")),
        sa.UniqueConstraint("uid", name=op.f("uq_directory_groups_uid")),
    )
    op.create_index(
        op.f("ix_directory_groups_connection_id_external_id"),
        "directory_groups",
        ["connection_id", "external_id"],
        unique=False,
    )
    op.create_index(
        op.f("ix_directory_groups_connection_id_name_ci"),
        "directory_groups",
        ["connection_id", "name_ci"],
        unique=False,
    )
    op.create_index(
        "ix_directory_groups_page",
        "directory_groups",
        ["connection_id", "id"],
        unique=False,
        sqlite_where=sa.text("source = 'scim'"),
        postgresql_where=sa.text("source = 'scim'"),
    )
    op.create_index(
        "uq_directory_groups_asserted",
        "directory_groups",
        ["connection_id", "name_ci"],
        unique=True,
        sqlite_where=sa.text("source = 'asserted'"),
        postgresql_where=sa.text("source = 'asserted'"),
    )


def _domains() -> None:
    op.create_table(
        "domains",
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("workspace_id", ID, nullable=False),
        sa.Column("connection_id", ID, nullable=True),
        sa.Column("token", sa.Text(), nullable=False),
        sa.Column("token_expires_at", sa.BigInteger(), nullable=False),
        sa.Column("proved_at", sa.BigInteger(), nullable=True),
        sa.Column("proved_by", sa.Text(), nullable=True),
        sa.Column("proof", sa.Text(), nullable=True),
        sa.Column("checked_at", sa.BigInteger(), nullable=True),
        sa.Column("found_at", sa.BigInteger(), nullable=True),
        sa.Column("missing_since", sa.BigInteger(), nullable=True),
        sa.Column("problem", sa.Text(), nullable=True),
        sa.Column("created_at", sa.BigInteger(), nullable=False),
        sa.CheckConstraint("proof IN ('dns', 'meta', 'word')", name=op.f("ck_domains_proof")),
        sa.ForeignKeyConstraint(["connection_id"], ["connections.id"], name=op.f("fk_domains_connection_id")),
        sa.ForeignKeyConstraint(["workspace_id"], ["workspaces.id"], name=op.f("fk_domains_workspace_id")),
        sa.PrimaryKeyConstraint("name", "workspace_id", name=op.f("pk_domains")),
    )
    op.create_index(op.f("ix_domains_connection_id"), "domains", ["connection_id"], unique=False)
    op.create_index(op.f("ix_domains_workspace_id"), "domains", ["workspace_id"], unique=False)
    op.create_index(
        "uq_domains_proved",
        "domains",
        ["name"],
        unique=True,
        sqlite_where=sa.text("proved_at IS NOT NULL"),
        postgresql_where=sa.text("proved_at IS NOT NULL"),
    )


def _ended_logins() -> None:
    op.create_table(
        "ended_logins",
        sa.Column("id", ID, nullable=False),
        sa.Column("connection_id", ID, nullable=False),
        sa.Column("name_id", sa.Text(), nullable=False),
        sa.Column("name_id_format", sa.Text(), nullable=True),
        sa.Column("name_qualifier", sa.Text(), nullable=True),
        sa.Column("session_indexes", sa.Text(), nullable=False),
        sa.Column("said_at", sa.BigInteger(), nullable=False),
        sa.Column("expires_at", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(["connection_id"], ["connections.id"], name=op.f("fk_ended_logins_connection_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_ended_logins")),
    )
    op.create_index(
        op.f("ix_ended_logins_connection_id_name_id"), "ended_logins", ["connection_id", "name_id"], unique=False
    )
    op.create_index(op.f("ix_ended_logins_expires_at"), "ended_logins", ["expires_at"], unique=False)


def _grants() -> None:
    op.create_table(
        "grants",
        sa.Column("id", ID, nullable=False),
        sa.Column("uid", sa.Text(), nullable=False),
        sa.Column("principal_id", ID, nullable=False),
        sa.Column("role", sa.Text(), nullable=False),
        sa.Column("scope", sa.Text(), nullable=False),
        sa.Column("expires_at", sa.BigInteger(), nullable=True),
        sa.Column("given_by", sa.Text(), nullable=False),
        sa.Column("since", sa.BigInteger(), nullable=False),
        sa.Column("cause", sa.BigInteger(), nullable=False),
        sa.CheckConstraint("scope IN ('all', 'list', 'labels')", name=op.f("ck_grants_scope")),
        sa.ForeignKeyConstraint(["principal_id"], ["principals.id"], name=op.f("fk_grants_principal_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_grants")),
        sa.UniqueConstraint("uid", name=op.f("uq_grants_uid")),
    )
    op.create_index(
        "ix_grants_expiring",
        "grants",
        ["expires_at"],
        unique=False,
        sqlite_where=sa.text("expires_at IS NOT NULL"),
        postgresql_where=sa.text("expires_at IS NOT NULL"),
    )
    op.create_index(op.f("ix_grants_principal_id_role"), "grants", ["principal_id", "role"], unique=False)
    op.create_index(
        "ix_grants_reaching",
        "grants",
        ["role", "principal_id"],
        unique=False,
        sqlite_where=sa.text("role <> 'minimal_workspace_access'"),
        postgresql_where=sa.text("role <> 'minimal_workspace_access'"),
    )


def _identities() -> None:
    op.create_table(
        "identities",
        sa.Column("connection_id", ID, nullable=False),
        sa.Column("subject", sa.Text(), nullable=False),
        sa.Column("user_id", ID, nullable=False),
        sa.Column("linked_at", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(["connection_id"], ["connections.id"], name=op.f("fk_identities_connection_id")),
        sa.ForeignKeyConstraint(["user_id"], ["users.id"], name=op.f("fk_identities_user_id")),
        sa.PrimaryKeyConstraint("connection_id", "subject", name=op.f("pk_identities")),
    )
    op.create_index(op.f("ix_identities_user_id"), "identities", ["user_id"], unique=False)


def _mappings() -> None:
    op.create_table(
        "mappings",
        sa.Column("id", ID, nullable=False),
        sa.Column("uid", sa.Text(), nullable=False),
        sa.Column("workspace_id", ID, nullable=False),
        sa.Column("connection_id", ID, nullable=False),
        sa.Column("match", sa.Text(), nullable=False),
        sa.Column("value", sa.Text(), nullable=False),
        sa.Column("value_ci", sa.Text(), nullable=False),
        sa.Column("enabled", sa.Boolean(), server_default=sa.text("true"), nullable=False),
        sa.Column("origin", sa.Text(), nullable=False),
        sa.Column("made_by", sa.Text(), nullable=False),
        sa.Column("created_at", sa.BigInteger(), nullable=False),
        sa.Column("since", sa.BigInteger(), nullable=False),
        sa.Column("cause", sa.BigInteger(), nullable=False),
        sa.CheckConstraint("match IN ('id', 'external_id', 'name', 'glob')", name=op.f("ck_mappings_match")),
        sa.CheckConstraint("origin IN ('admin', 'mirror', 'link')", name=op.f("ck_mappings_origin")),
        sa.ForeignKeyConstraint(["connection_id"], ["connections.id"], name=op.f("fk_mappings_connection_id")),
        sa.ForeignKeyConstraint(["id"], ["principals.id"], name=op.f("fk_mappings_id")),
        sa.ForeignKeyConstraint(["workspace_id"], ["workspaces.id"], name=op.f("fk_mappings_workspace_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_mappings")),
        sa.UniqueConstraint("uid", name=op.f("uq_mappings_uid")),
    )
    op.create_index(
        op.f("ix_mappings_connection_id_match_value_ci"),
        "mappings",
        ["connection_id", "match", "value_ci"],
        unique=False,
    )
    op.create_index(op.f("ix_mappings_workspace_id"), "mappings", ["workspace_id"], unique=False)


def _memberships() -> None:
    op.create_table(
        "memberships",
        sa.Column("id", ID, nullable=False),
        sa.Column("uid", sa.Text(), nullable=False),
        sa.Column("workspace_id", ID, nullable=False),
        sa.Column("user_id", ID, nullable=False),
        sa.Column("status", sa.Text(), nullable=False),
        sa.Column("accepted_at", sa.BigInteger(), nullable=True),
        sa.Column("sso_exempt", sa.Boolean(), server_default=sa.text("false"), nullable=False),
        sa.Column("created_at", sa.BigInteger(), nullable=False),
        sa.Column("since", sa.BigInteger(), nullable=False),
        sa.Column("cause", sa.BigInteger(), nullable=False),
        sa.CheckConstraint("status IN ('active', 'removed')", name=op.f("ck_memberships_status")),
        sa.ForeignKeyConstraint(["id"], ["principals.id"], name=op.f("fk_memberships_id")),
        sa.ForeignKeyConstraint(["user_id"], ["users.id"], name=op.f("fk_memberships_user_id")),
        sa.ForeignKeyConstraint(["workspace_id"], ["workspaces.id"], name=op.f("fk_memberships_workspace_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_memberships")),
        sa.UniqueConstraint("uid", name=op.f("uq_memberships_uid")),
        sa.UniqueConstraint("workspace_id", "user_id", name=op.f("uq_memberships_workspace_id_user_id")),
    )
    op.create_index(op.f("ix_memberships_user_id"), "memberships", ["user_id"], unique=False)


def _metadata_refreshes() -> None:
    op.create_table(
        "metadata_refreshes",
        sa.Column("connection_id", ID, nullable=False),
        sa.Column("version", sa.BigInteger(), nullable=False),
        sa.Column("url", sa.Text(), nullable=True),
        sa.Column("next_at", sa.BigInteger(), nullable=True),
        sa.Column("tried_at", sa.BigInteger(), nullable=True),
        sa.Column("good_at", sa.BigInteger(), nullable=True),
        sa.Column("changed_at", sa.BigInteger(), nullable=True),
        sa.Column("failures", sa.Integer(), nullable=False),
        sa.Column("error", sa.Text(), nullable=True),
        sa.Column("content_hash", sa.LargeBinary(), nullable=True),
        sa.ForeignKeyConstraint(
            ["connection_id"], ["connections.id"], name=op.f("fk_metadata_refreshes_connection_id")
        ),
        sa.PrimaryKeyConstraint("connection_id", name=op.f("pk_metadata_refreshes")),
    )
    op.create_index(op.f("ix_metadata_refreshes_next_at"), "metadata_refreshes", ["next_at"], unique=False)


def _pending_requests() -> None:
    op.create_table(
        "pending_requests",
        sa.Column("hash", sa.LargeBinary(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("connection_id", ID, nullable=True),
        sa.Column("user_id", ID, nullable=True),
        sa.Column("browser_hash", sa.LargeBinary(), nullable=True),
        sa.Column("return_to", sa.Text(), nullable=False),
        sa.Column("result", sa.Text(), nullable=True),
        sa.Column("expires_at", sa.BigInteger(), nullable=False),
        sa.CheckConstraint(
            "kind IN ('handle', 'prove', 'link', 'test', 'tested', 'logout', 'factor', 'enrol', 'passkey', 'mailed_code', 'reset', 'verify_email', 'change_email', 'twilio_arrival', 'twilio_link', 'twilio_email')",
            name=op.f("ck_pending_requests_kind"),
        ),
        sa.ForeignKeyConstraint(["connection_id"], ["connections.id"], name=op.f("fk_pending_requests_connection_id")),
        sa.ForeignKeyConstraint(["user_id"], ["users.id"], name=op.f("fk_pending_requests_user_id")),
        sa.PrimaryKeyConstraint("hash", name=op.f("pk_pending_requests")),
    )
    op.create_index(op.f("ix_pending_requests_connection_id"), "pending_requests", ["connection_id"], unique=False)
    op.create_index(op.f("ix_pending_requests_expires_at"), "pending_requests", ["expires_at"], unique=False)
    op.create_index(op.f("ix_pending_requests_user_id"), "pending_requests", ["user_id"], unique=False)


def _provider_keys() -> None:
    op.create_table(
        "provider_keys",
        sa.Column("connection_id", ID, nullable=False),
        sa.Column("url", sa.Text(), nullable=False),
        sa.Column("body", sa.LargeBinary(), nullable=False),
        sa.Column("read_at", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(["connection_id"], ["connections.id"], name=op.f("fk_provider_keys_connection_id")),
        sa.PrimaryKeyConstraint("connection_id", name=op.f("pk_provider_keys")),
    )


def _provisioning_requests() -> None:
    op.create_table(
        "provisioning_requests",
        sa.Column("id", ID, nullable=False),
        sa.Column("connection_id", ID, nullable=False),
        sa.Column("at", sa.BigInteger(), nullable=False),
        sa.Column("method", sa.Text(), nullable=False),
        sa.Column("path", sa.Text(), nullable=False),
        sa.Column("status", sa.Integer(), nullable=False),
        sa.Column("outcome", sa.Text(), nullable=False),
        sa.Column("sentence", sa.Text(), nullable=False),
        sa.Column("about_ci", sa.Text(), nullable=False),
        sa.Column("cause", sa.BigInteger(), nullable=False),
        sa.Column("request", sa.Text(), nullable=True),
        sa.Column("answer", sa.Text(), nullable=True),
        sa.CheckConstraint(
            "outcome IN ('changed', 'unchanged', 'read', 'refused')", name=op.f("ck_provisioning_requests_outcome")
        ),
        sa.ForeignKeyConstraint(
            ["connection_id"], ["connections.id"], name=op.f("fk_provisioning_requests_connection_id")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_provisioning_requests")),
    )
    op.create_index(
        op.f("ix_provisioning_requests_connection_id_at"),
        "provisioning_requests",
        ["connection_id", "at"],
        unique=False,
    )
    op.create_index(
        "ix_provisioning_requests_refused",
        "provisioning_requests",
        ["connection_id", "at"],
        unique=False,
        sqlite_where=sa.text("outcome = 'refused'"),
        postgresql_where=sa.text("outcome = 'refused'"),
    )


def _resource_labels() -> None:
    op.create_table(
        "resource_labels",
        sa.Column("resource_id", ID, nullable=False),
        sa.Column("key", sa.Text(), nullable=False),
        sa.Column("value", sa.Text(), nullable=False),
        sa.Column("since", sa.BigInteger(), nullable=False),
        sa.Column("cause", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(["resource_id"], ["resources.id"], name=op.f("fk_resource_labels_resource_id")),
        sa.PrimaryKeyConstraint("resource_id", "key", name=op.f("pk_resource_labels")),
        sqlite_with_rowid=False,
    )
    op.create_index(op.f("ix_resource_labels_key_value"), "resource_labels", ["key", "value"], unique=False)


def _sign_in_attempts() -> None:
    op.create_table(
        "sign_in_attempts",
        sa.Column("id", ID, nullable=False),
        sa.Column("ref", sa.Text(), nullable=False),
        sa.Column("workspace_id", ID, nullable=True),
        sa.Column("connection_id", ID, nullable=True),
        sa.Column("user_id", ID, nullable=True),
        sa.Column("at", sa.BigInteger(), nullable=False),
        sa.Column("last_at", sa.BigInteger(), nullable=False),
        sa.Column("times", sa.Integer(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("outcome", sa.Text(), nullable=False),
        sa.Column("code", sa.Text(), nullable=False),
        sa.Column("text", sa.Text(), nullable=False),
        sa.Column("check", sa.Text(), nullable=False),
        sa.Column("test", sa.Boolean(), nullable=False),
        sa.Column("email", sa.Text(), nullable=False),
        sa.Column("email_ci", sa.Text(), nullable=False),
        sa.Column("address", sa.Text(), nullable=False),
        sa.Column("agent", sa.Text(), nullable=False),
        sa.Column("steps", sa.Text(), nullable=False),
        sa.Column("message", sa.Text(), nullable=True),
        sa.Column("would", sa.Text(), nullable=True),
        sa.CheckConstraint(
            "outcome IN ('signed_in', 'refused', 'test_passed', 'password_reset')",
            name=op.f("ck_sign_in_attempts_outcome"),
        ),
        sa.ForeignKeyConstraint(["connection_id"], ["connections.id"], name=op.f("fk_sign_in_attempts_connection_id")),
        sa.ForeignKeyConstraint(["user_id"], ["users.id"], name=op.f("fk_sign_in_attempts_user_id")),
        sa.ForeignKeyConstraint(["workspace_id"], ["workspaces.id"], name=op.f("fk_sign_in_attempts_workspace_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_sign_in_attempts")),
        sa.UniqueConstraint("ref", name=op.f("uq_sign_in_attempts_ref")),
    )
    op.create_index(op.f("ix_sign_in_attempts_at"), "sign_in_attempts", ["at"], unique=False)
    op.create_index(
        op.f("ix_sign_in_attempts_connection_id_at"), "sign_in_attempts", ["connection_id", "at"], unique=False
    )
    op.create_index(
        "ix_sign_in_attempts_signed_in",
        "sign_in_attempts",
        ["connection_id", "at"],
        unique=False,
        sqlite_where=sa.text("outcome = 'signed_in'"),
        postgresql_where=sa.text("outcome = 'signed_in'"),
    )
    op.create_index(op.f("ix_sign_in_attempts_user_id_at"), "sign_in_attempts", ["user_id", "at"], unique=False)
    op.create_index(
        op.f("ix_sign_in_attempts_workspace_id_at"), "sign_in_attempts", ["workspace_id", "at"], unique=False
    )


def _user_groups() -> None:
    op.create_table(
        "user_groups",
        sa.Column("id", ID, nullable=False),
        sa.Column("uid", sa.Text(), nullable=False),
        sa.Column("workspace_id", ID, nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("name_ci", sa.Text(), nullable=False),
        sa.Column("mirror", sa.Boolean(), server_default=sa.text("false"), nullable=False),
        sa.Column("orphan_of", sa.Text(), nullable=True),
        sa.Column("created_at", sa.BigInteger(), nullable=False),
        sa.Column("since", sa.BigInteger(), nullable=False),
        sa.Column("cause", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(["id"], ["principals.id"], name=op.f("fk_user_groups_id")),
        sa.ForeignKeyConstraint(["workspace_id"], ["workspaces.id"], name=op.f("fk_user_groups_workspace_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_user_groups")),
        sa.UniqueConstraint("uid", name=op.f("uq_user_groups_uid")),
        sa.UniqueConstraint("workspace_id", "name_ci", name=op.f("uq_user_groups_workspace_id_name_ci")),
    )


def _access_requests() -> None:
    op.create_table(
        "access_requests",
        sa.Column("id", ID, nullable=False),
        sa.Column("uid", sa.Text(), nullable=False),
        sa.Column("membership_id", ID, nullable=False),
        sa.Column("role", sa.Text(), nullable=False),
        sa.Column("resource_id", ID, nullable=True),
        sa.Column("message", sa.Text(), nullable=False),
        sa.Column("created_at", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(["membership_id"], ["memberships.id"], name=op.f("fk_access_requests_membership_id")),
        sa.ForeignKeyConstraint(["resource_id"], ["resources.id"], name=op.f("fk_access_requests_resource_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_access_requests")),
        sa.UniqueConstraint("uid", name=op.f("uq_access_requests_uid")),
    )
    op.create_index(op.f("ix_access_requests_membership_id"), "access_requests", ["membership_id"], unique=False)
    op.create_index(op.f("ix_access_requests_resource_id"), "access_requests", ["resource_id"], unique=False)


def _break_glass_codes() -> None:
    op.create_table(
        "break_glass_codes",
        sa.Column("id", ID, nullable=False),
        sa.Column("hash", sa.LargeBinary(), nullable=False),
        sa.Column("membership_id", ID, nullable=False),
        sa.Column("made_by", sa.Text(), nullable=False),
        sa.Column("created_at", sa.BigInteger(), nullable=False),
        sa.Column("expires_at", sa.BigInteger(), nullable=True),
        sa.Column("used_at", sa.BigInteger(), nullable=True),
        sa.ForeignKeyConstraint(["membership_id"], ["memberships.id"], name=op.f("fk_break_glass_codes_membership_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_break_glass_codes")),
        sa.UniqueConstraint("hash", name=op.f("uq_break_glass_codes_hash")),
    )
    op.create_index(op.f("ix_break_glass_codes_membership_id"), "break_glass_codes", ["membership_id"], unique=False)


def _break_glass_openings() -> None:
    op.create_table(
        "break_glass_openings",
        sa.Column("session_id", ID, nullable=False),
        sa.Column("membership_id", ID, nullable=False),
        sa.Column("at", sa.BigInteger(), nullable=False),
        sa.Column("ends_at", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(
            ["membership_id"], ["memberships.id"], name=op.f("fk_break_glass_openings_membership_id")
        ),
        sa.ForeignKeyConstraint(
            ["session_id"], ["sessions.id"], name=op.f("fk_break_glass_openings_session_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("session_id", "membership_id", name=op.f("pk_break_glass_openings")),
    )
    op.create_index(
        op.f("ix_break_glass_openings_membership_id"), "break_glass_openings", ["membership_id"], unique=False
    )


def _directory_users() -> None:
    op.create_table(
        "directory_users",
        sa.Column("id", ID, nullable=False),
        sa.Column("uid", sa.Text(), nullable=False),
        sa.Column("connection_id", ID, nullable=False),
        sa.Column("membership_id", ID, nullable=True),
        sa.Column("pushed", sa.Boolean(), server_default=sa.text("false"), nullable=False),
        sa.Column("active", sa.Boolean(), server_default=sa.text("true"), nullable=False),
        sa.Column("holds_out", sa.Boolean(), server_default=sa.text("false"), nullable=False),
        sa.Column("user_name", sa.Text(), nullable=False),
        sa.Column("user_name_ci", sa.Text().with_variant(sa.Text(collation="C"), "postgresql"), nullable=False),
        sa.Column("external_id", sa.Text().with_variant(sa.Text(collation="C"), "postgresql"), nullable=True),
        sa.Column("email_ci", sa.Text(), nullable=True),
        sa.Column("display_name", sa.Text(), nullable=False),
        sa.Column("asserted_until", sa.BigInteger(), nullable=True),
        sa.Column("document", sa.Text(), nullable=False),
        sa.Column("version", sa.BigInteger(), server_default=sa.text("0"), nullable=False),
        sa.Column("created_at", sa.BigInteger(), nullable=False),
        sa.Column("modified_at", sa.BigInteger(), nullable=False),
        sa.Column("since", sa.BigInteger(), nullable=False),
        sa.Column("cause", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(["connection_id"], ["connections.id"], name=op.f("fk_directory_users_connection_id")),
        sa.ForeignKeyConstraint(["membership_id"], ["memberships.id"], name=op.f("fk_directory_users_membership_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_directory_users")),
        sa.UniqueConstraint(
            "membership_id", "connection_id", name=op.f("uq_directory_users_membership_id_connection_id")
        ),
        sa.UniqueConstraint("uid", name=op.f("uq_directory_users_uid")),
    )
    op.create_index(
        "ix_directory_users_asserted",
        "directory_users",
        ["connection_id", "asserted_until"],
        unique=False,
        sqlite_where=sa.text("asserted_until IS NOT NULL"),
        postgresql_where=sa.text("asserted_until IS NOT NULL"),
    )
    op.create_index(
        op.f("ix_directory_users_connection_id_email_ci"),
        "directory_users",
        ["connection_id", "email_ci"],
        unique=False,
    )
    op.create_index(
        op.f("ix_directory_users_connection_id_external_id"),
        "directory_users",
        ["connection_id", "external_id"],
        unique=False,
    )
    op.create_index(
        "ix_directory_users_created",
        "directory_users",
        ["connection_id", "created_at", "id"],
        unique=False,
        sqlite_where=sa.text("pushed = 1"),
        postgresql_where=sa.text("pushed"),
    )
    op.create_index(
        "ix_directory_users_page",
        "directory_users",
        ["connection_id", "id"],
        unique=False,
        sqlite_where=sa.text("pushed = 1"),
        postgresql_where=sa.text("pushed"),
    )
    op.create_index(
        "uq_directory_users_name",
        "directory_users",
        ["connection_id", "user_name_ci"],
        unique=True,
        sqlite_where=sa.text("pushed = 1"),
        postgresql_where=sa.text("pushed"),
    )


def _grant_labels() -> None:
    op.create_table(
        "grant_labels",
        sa.Column("grant_id", ID, nullable=False),
        sa.Column("key", sa.Text(), nullable=False),
        sa.Column("value", sa.Text(), nullable=False),
        sa.Column("since", sa.BigInteger(), nullable=False),
        sa.Column("cause", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(["grant_id"], ["grants.id"], name=op.f("fk_grant_labels_grant_id")),
        sa.PrimaryKeyConstraint("grant_id", "key", name=op.f("pk_grant_labels")),
        sqlite_with_rowid=False,
    )


def _grant_resources() -> None:
    op.create_table(
        "grant_resources",
        sa.Column("grant_id", ID, nullable=False),
        sa.Column("resource_id", ID, nullable=False),
        sa.Column("since", sa.BigInteger(), nullable=False),
        sa.Column("cause", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(["grant_id"], ["grants.id"], name=op.f("fk_grant_resources_grant_id")),
        sa.ForeignKeyConstraint(["resource_id"], ["resources.id"], name=op.f("fk_grant_resources_resource_id")),
        sa.PrimaryKeyConstraint("grant_id", "resource_id", name=op.f("pk_grant_resources")),
        sqlite_with_rowid=False,
    )
    op.create_index(op.f("ix_grant_resources_resource_id"), "grant_resources", ["resource_id"], unique=False)


def _mapping_matches() -> None:
    op.create_table(
        "mapping_matches",
        sa.Column("group_id", ID, nullable=False),
        sa.Column("mapping_id", ID, nullable=False),
        sa.Column("asserted", sa.Boolean(), server_default=sa.text("false"), nullable=False),
        sa.Column("shadowed", sa.Boolean(), server_default=sa.text("false"), nullable=False),
        sa.Column("since", sa.BigInteger(), nullable=False),
        sa.Column("cause", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(["group_id"], ["directory_groups.id"], name=op.f("fk_mapping_matches_group_id")),
        sa.ForeignKeyConstraint(["mapping_id"], ["mappings.id"], name=op.f("fk_mapping_matches_mapping_id")),
        sa.PrimaryKeyConstraint("group_id", "mapping_id", name=op.f("pk_mapping_matches")),
        sqlite_with_rowid=False,
    )
    op.create_index(
        op.f("ix_mapping_matches_mapping_id_group_id"), "mapping_matches", ["mapping_id", "group_id"], unique=False
    )


def _mapping_user_groups() -> None:
    op.create_table(
        "mapping_user_groups",
        sa.Column("mapping_id", ID, nullable=False),
        sa.Column("user_group_id", ID, nullable=False),
        sa.Column("since", sa.BigInteger(), nullable=False),
        sa.Column("cause", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(["mapping_id"], ["mappings.id"], name=op.f("fk_mapping_user_groups_mapping_id")),
        sa.ForeignKeyConstraint(
            ["user_group_id"], ["user_groups.id"], name=op.f("fk_mapping_user_groups_user_group_id")
        ),
        sa.PrimaryKeyConstraint("mapping_id", "user_group_id", name=op.f("pk_mapping_user_groups")),
        sqlite_with_rowid=False,
    )
    op.create_index(
        op.f("ix_mapping_user_groups_user_group_id_mapping_id"),
        "mapping_user_groups",
        ["user_group_id", "mapping_id"],
        unique=False,
    )


def _tokens() -> None:
    op.create_table(
        "tokens",
        sa.Column("id", ID, nullable=False),
        sa.Column("uid", sa.Text(), nullable=False),
        sa.Column("hash", sa.LargeBinary(), nullable=False),
        sa.Column("workspace_id", ID, nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("connection_id", ID, nullable=True),
        sa.Column("principal_id", ID, nullable=True),
        sa.Column("made_by_membership", ID, nullable=True),
        sa.Column("made_by", sa.Text(), nullable=False),
        sa.Column("description", sa.Text(), nullable=False),
        sa.Column("created_at", sa.BigInteger(), nullable=False),
        sa.Column("expires_at", sa.BigInteger(), nullable=True),
        sa.Column("last_used_at", sa.BigInteger(), nullable=True),
        sa.Column("former_hash", sa.LargeBinary(), nullable=True),
        sa.Column("former_until", sa.BigInteger(), nullable=True),
        sa.CheckConstraint("kind IN ('scim', 'scim_client', 'api')", name=op.f("ck_tokens_kind")),
        sa.ForeignKeyConstraint(["connection_id"], ["connections.id"], name=op.f("fk_tokens_connection_id")),
        sa.ForeignKeyConstraint(["made_by_membership"], ["memberships.id"], name=op.f("fk_tokens_made_by_membership")),
        sa.ForeignKeyConstraint(["principal_id"], ["principals.id"], name=op.f("fk_tokens_principal_id")),
        sa.ForeignKeyConstraint(["workspace_id"], ["workspaces.id"], name=op.f("fk_tokens_workspace_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_tokens")),
        sa.UniqueConstraint("hash", name=op.f("uq_tokens_hash")),
        sa.UniqueConstraint("uid", name=op.f("uq_tokens_uid")),
    )
    op.create_index(op.f("ix_tokens_connection_id"), "tokens", ["connection_id"], unique=False)
    op.create_index(op.f("ix_tokens_made_by_membership"), "tokens", ["made_by_membership"], unique=False)
    op.create_index(op.f("ix_tokens_principal_id"), "tokens", ["principal_id"], unique=False)
    op.create_index(op.f("ix_tokens_workspace_id"), "tokens", ["workspace_id"], unique=False)


def _user_group_members() -> None:
    op.create_table(
        "user_group_members",
        sa.Column("user_group_id", ID, nullable=False),
        sa.Column("membership_id", ID, nullable=False),
        sa.Column("given_by", sa.Text(), nullable=False),
        sa.Column("since", sa.BigInteger(), nullable=False),
        sa.Column("cause", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(
            ["membership_id"], ["memberships.id"], name=op.f("fk_user_group_members_membership_id")
        ),
        sa.ForeignKeyConstraint(
            ["user_group_id"], ["user_groups.id"], name=op.f("fk_user_group_members_user_group_id")
        ),
        sa.PrimaryKeyConstraint("user_group_id", "membership_id", name=op.f("pk_user_group_members")),
        sqlite_with_rowid=False,
    )
    op.create_index(
        op.f("ix_user_group_members_membership_id_user_group_id"),
        "user_group_members",
        ["membership_id", "user_group_id"],
        unique=False,
    )


def _access_tokens() -> None:
    op.create_table(
        "access_tokens",
        sa.Column("hash", sa.LargeBinary(), nullable=False),
        sa.Column("token_id", ID, nullable=False),
        sa.Column("expires_at", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(
            ["token_id"], ["tokens.id"], name=op.f("fk_access_tokens_token_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("hash", name=op.f("pk_access_tokens")),
    )
    op.create_index(op.f("ix_access_tokens_expires_at"), "access_tokens", ["expires_at"], unique=False)
    op.create_index(
        op.f("ix_access_tokens_token_id_expires_at"), "access_tokens", ["token_id", "expires_at"], unique=False
    )


def _directory_emails() -> None:
    op.create_table(
        "directory_emails",
        sa.Column("directory_user_id", ID, nullable=False),
        sa.Column("position", sa.SmallInteger(), nullable=False),
        sa.Column("value_ci", sa.Text(), nullable=False),
        sa.Column("value", sa.Text(), nullable=False),
        sa.Column("type", sa.Text(), nullable=True),
        sa.Column("is_primary", sa.Boolean(), server_default=sa.text("false"), nullable=False),
        sa.ForeignKeyConstraint(
            ["directory_user_id"], ["directory_users.id"], name=op.f("fk_directory_emails_directory_user_id")
        ),
        sa.PrimaryKeyConstraint("directory_user_id", "position", name=op.f("pk_directory_emails")),
    )
    op.create_index(op.f("ix_directory_emails_value_ci"), "directory_emails", ["value_ci"], unique=False)


def _group_members() -> None:
    op.create_table(
        "group_members",
        sa.Column("group_id", ID, nullable=False),
        sa.Column("directory_user_id", ID, nullable=False),
        sa.Column("since", sa.BigInteger(), nullable=False),
        sa.Column("cause", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(
            ["directory_user_id"], ["directory_users.id"], name=op.f("fk_group_members_directory_user_id")
        ),
        sa.ForeignKeyConstraint(["group_id"], ["directory_groups.id"], name=op.f("fk_group_members_group_id")),
        sa.PrimaryKeyConstraint("group_id", "directory_user_id", name=op.f("pk_group_members")),
        sqlite_with_rowid=False,
    )
    op.create_index(
        op.f("ix_group_members_directory_user_id_group_id"),
        "group_members",
        ["directory_user_id", "group_id"],
        unique=False,
    )
