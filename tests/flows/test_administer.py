"""Workspaces and plans (product.md 1.1, 1.6)."""

from datetime import datetime

import pytest

from bridge.domain.errors import Conflict, Forbidden, Invalid, NotFound
from bridge.flows.administer import (
    NewWorkspace,
    WorkspaceDraft,
    create_workspace,
    find_workspace,
    rename_workspace,
    set_plan,
)
from bridge.flows.context import OPERATOR, Context
from bridge.flows.deliver import deliver_due
from bridge.storage.workspaces import count_keeping_owners
from tests.flows.audit import audit_events, everything_kept
from tests.flows.conftest import PASSWORD
from tests.flows.mailer import KeptMail


def test_a_workspace_begins_with_an_owner_who_can_sign_in(context: Context, made: NewWorkspace) -> None:
    assert (made.workspace.slug, made.workspace.plan, made.owner.email) == ("kicks", "business", "marcus@kicks.example")
    assert made.owner.has_password
    assert not made.link_mailed
    with context.database.reading() as connection:
        assert count_keeping_owners(connection, made.workspace.key) == 1


def test_the_password_is_kept_as_a_hash(full_costs: None, context: Context, made: NewWorkspace) -> None:
    kept = everything_kept(context)
    assert PASSWORD not in kept
    assert "$argon2id$v=19$m=19456,t=2,p=1$" in kept


def test_each_change_is_an_audit_event(context: Context, made: NewWorkspace) -> None:
    assert [(actor, kind) for actor, kind, _ in audit_events(context)] == [
        (OPERATOR, "workspace.created"),
        (OPERATOR, "member.added"),
    ]


def test_an_owner_without_a_password_is_mailed_a_link(context: Context, now: datetime) -> None:
    made = create_workspace(context, OPERATOR, WorkspaceDraft("kicks", "Kicks Co", "marcus@kicks.example"), now)
    mailer = KeptMail()
    assert made.link_mailed
    assert deliver_due(context, mailer, now) == 1
    assert mailer.sent[0].to == "marcus@kicks.example"
    assert "http://localhost:8000/invitations/" in mailer.sent[0].text


def test_an_account_that_exists_becomes_the_owner(context: Context, made: NewWorkspace, now: datetime) -> None:
    second = create_workspace(context, OPERATOR, WorkspaceDraft("boots", "Boots Co", "MARCUS@Kicks.example"), now)
    assert second.owner.id == made.owner.id
    assert not second.link_mailed


def test_an_accounts_password_is_never_replaced(context: Context, made: NewWorkspace, now: datetime) -> None:
    draft = WorkspaceDraft("boots", "Boots Co", "marcus@kicks.example", owner_password="another long password")
    with pytest.raises(Conflict):
        create_workspace(context, OPERATOR, draft, now)
    with pytest.raises(NotFound):
        find_workspace(context, "boots")


def test_a_slug_is_used_once(context: Context, made: NewWorkspace, now: datetime) -> None:
    with pytest.raises(Conflict):
        create_workspace(context, OPERATOR, WorkspaceDraft("kicks", "Again", "x@kicks.example"), now)


@pytest.mark.parametrize("slug", ["", "-kicks", "kicks-", "Kicks", "k/icks", "kicks co", "k" * 64, "ｋicks", "kicks\n"])
def test_a_slug_can_stand_in_an_address(context: Context, slug: str, now: datetime) -> None:
    with pytest.raises(Invalid):
        create_workspace(context, OPERATOR, WorkspaceDraft(slug, "Kicks", "x@kicks.example"), now)


@pytest.mark.parametrize(
    "draft",
    [
        WorkspaceDraft("kicks", "Kicks", "no address"),
        WorkspaceDraft("kicks", " ", "x@kicks.example"),
        WorkspaceDraft("kicks", "Kicks", "x@kicks.example", plan="gold"),
        WorkspaceDraft("kicks", "Kicks", "x@kicks.example", owner_password="eleven char"),
    ],
)
def test_a_wrong_value_makes_nothing(context: Context, draft: WorkspaceDraft, now: datetime) -> None:
    with pytest.raises(Invalid):
        create_workspace(context, OPERATOR, draft, now)
    with pytest.raises(NotFound):
        find_workspace(context, "kicks")


def test_only_the_operator_makes_workspaces_and_sets_plans(
    context: Context, made: NewWorkspace, marcus: str, now: datetime
) -> None:
    with pytest.raises(Forbidden):
        create_workspace(context, marcus, WorkspaceDraft("boots", "Boots", "x@kicks.example"), now)
    with pytest.raises(Forbidden):
        set_plan(context, marcus, "kicks", "free", now)


def test_a_downgrade_says_what_no_longer_applies_and_removes_nothing(
    context: Context, okta: object, now: datetime
) -> None:
    changed = set_plan(context, OPERATOR, "kicks", "free", now)
    assert changed.workspace.plan == "free"
    assert changed.no_longer == ("sign-in and SCIM by Okta",)
    assert set_plan(context, OPERATOR, "kicks", "business", now).no_longer == ()


def test_an_owner_renames_and_the_slug_stays(context: Context, marcus: str, now: datetime) -> None:
    renamed = rename_workspace(context, marcus, "kicks", "  Kicks   & Co ", now)
    assert (renamed.name, renamed.slug) == ("Kicks & Co", "kicks")
