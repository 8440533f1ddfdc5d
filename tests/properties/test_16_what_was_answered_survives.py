"""16. What was answered 2xx survives the process being killed at any moment (as far as flows show it).

A process pushes people and group members and says what is done; it is killed in the middle. Whatever it said is there,
whole: the record, the account, the membership, its grant, the row of the group, and the audit event.

Beside: tests/storage/test_database.py (kills during a transaction), tests/story (the server killed under load).
"""

import signal
import subprocess
import sys

from sqlalchemy import func, select

from bridge.flows.provision_groups import get_group
from bridge.flows.provision_users import get_user
from bridge.storage.database import open_database
from bridge.storage.tables import audit, directory_users, grants, group_members, memberships
from tests.world import World

PUSHER = """
import sys
from datetime import UTC, datetime
from bridge.domain.directory import MembersAdded
from bridge.flows.provision_groups import change_group
from bridge.flows.provision_users import create_user
from bridge.storage import connections
from bridge.storage.database import open_database
from tests.world import make_context, pushed

url, connection_id, group_id = sys.argv[1:]
context, now = make_context(open_database(url)), datetime(2026, 11, 20, 9, tzinfo=UTC)
with context.database.reading() as rows:
    connection = connections.find_by_uid(rows, connection_id)
for number in range(100_000):
    made = create_user(context, connection, pushed(f"p{number}@acme.example"), now)
    change_group(context, connection, group_id, [MembersAdded((made.id,))], now)
    print(made.id, flush=True)
"""
ENOUGH = 15


def pushed_until_killed(world: World, url: str, group_id: str) -> list[str]:
    """The ids that a process told of before it was killed."""
    command = [sys.executable, "-c", PUSHER, url, world.connection.id, group_id]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        told = [process.stdout.readline() for _ in range(ENOUGH)]
        process.send_signal(signal.SIGKILL)
        told += process.stdout.readlines()
    return [line.strip() for line in told if line.endswith("\n")]


def test_whatever_was_told_is_there_and_whole(acme: World, database_url: str) -> None:
    group = acme.push_group("Everybody")
    told = pushed_until_killed(acme, database_url, group.id)
    assert len(told) >= ENOUGH
    for uid in told:
        assert get_user(acme.context, acme.connection, uid).groups == ((group.id, "Everybody"),)
    found = get_group(acme.context, acme.connection, group.id, with_members=True)
    assert set(told) <= {member.id for member in found.members or ()}


def test_what_was_under_way_is_there_whole_or_not_at_all(acme: World, database_url: str) -> None:
    group = acme.push_group("Everybody")
    pushed_until_killed(acme, database_url, group.id)
    again = open_database(database_url)
    count = select(func.count())
    with again.snapshot() as rows:
        people = rows.execute(count.select_from(directory_users)).scalar_one()
        own = select(memberships.c.id).where(memberships.c.id.in_(select(directory_users.c.membership_id)))
        assert len(rows.execute(own).all()) == people
        given = count.select_from(grants).where(grants.c.principal_id.in_(own))
        assert rows.execute(given).scalar_one() == people
        events = count.select_from(audit).where(audit.c.type == "directory_user.created")
        assert rows.execute(events).scalar_one() == people
        added = count.select_from(audit).where(audit.c.type == "idp_group.members_added")
        assert rows.execute(added).scalar_one() == rows.execute(count.select_from(group_members)).scalar_one()
    again.close()
