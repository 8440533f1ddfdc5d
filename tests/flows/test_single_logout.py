"""Somebody signed out at their IdP: its authentications of them end, once, and nobody else's."""

from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import select

from bridge.domain.errors import NotFound
from bridge.domain.identity import Replay, Whose
from bridge.domain.sign_in_refusals import EndedAtIdp, Replayed
from bridge.flows.context import OPERATOR
from bridge.flows.own_connections import delete_connection
from bridge.flows.sign_in import complete
from bridge.flows.single_logout import Ended, end_by_idp
from bridge.storage.ended_logins import remember_end
from bridge.storage.provider_keys import KeptKeys, find_keys, keep_keys
from bridge.storage.tables import sessions
from tests.flows.logins import Browser, answer, fetch_result, sign_in, start
from tests.world import World, another_connection


def ended(world: World, key: str, **named: Any) -> Ended:
    return Ended(world.connection.id, Replay(key, world.now + timedelta(minutes=5)), Whose(**named))


def test_all_of_a_subject_end(kicks: World) -> None:
    laptop, phone, other = (sign_in(kicks, email) for email in ("mei@k.example", "mei@k.example", "olga@k.example"))
    assert end_by_idp(kicks.context, ended(kicks, "1", subject="mei@k.example"), kicks.now) == 1
    assert [one.reaches(kicks) for one in (laptop, phone, other)] == [[], [], ["kicks"]]
    with kicks.context.database.reading() as rows:
        assert len(rows.execute(select(sessions.c.id)).all()) == 1


def test_of_a_session_at_the_idp_only_that(kicks: World) -> None:
    laptop = sign_in(kicks, "mei@k.example", session_index="laptop")
    phone = sign_in(kicks, "mei@k.example", session_index="phone")
    assert end_by_idp(kicks.context, ended(kicks, "1", session_indexes=("laptop",)), kicks.now) == 1
    assert [one.reaches(kicks) for one in (laptop, phone)] == [[], ["kicks"]]
    named = ended(kicks, "2", session_indexes=("phone",), subject="olga@k.example")
    assert end_by_idp(kicks.context, named, kicks.now) == 0
    assert phone.reaches(kicks) == ["kicks"]


def test_with_a_subject_also_what_names_no_session(kicks: World) -> None:
    old = sign_in(kicks, "mei@k.example")
    assert end_by_idp(kicks.context, ended(kicks, "1", session_indexes=("laptop",)), kicks.now) == 0
    assert old.reaches(kicks) == ["kicks"]
    end_by_idp(kicks.context, ended(kicks, "2", session_indexes=("laptop",), subject="mei@k.example"), kicks.now)
    assert old.reaches(kicks) == []


def test_another_connections_stay(kicks: World) -> None:
    mei = sign_in(kicks, "mei@k.example")
    other = another_connection(kicks, "Other")
    assert end_by_idp(other.context, ended(other, "1", subject="mei@k.example"), kicks.now) == 0
    assert mei.reaches(kicks) == ["kicks"]


def test_a_word_counts_once(kicks: World) -> None:
    end_by_idp(kicks.context, ended(kicks, "1", subject="mei@k.example"), kicks.now)
    mei = sign_in(kicks, "mei@k.example")
    with pytest.raises(Replayed):
        end_by_idp(kicks.context, ended(kicks, "1", subject="mei@k.example"), kicks.now)
    assert mei.reaches(kicks) == ["kicks"]


def test_nobody_named_is_nobody_ended(kicks: World) -> None:
    mei = sign_in(kicks, "mei@k.example")
    with pytest.raises(ValueError, match="a person or a session"):
        end_by_idp(kicks.context, ended(kicks, "1"), kicks.now)
    assert mei.reaches(kicks) == ["kicks"]


def test_a_connection_that_is_gone_ends_nothing(kicks: World) -> None:
    gone = ended(kicks, "1", subject="mei@k.example")
    with kicks.context.database.writing() as rows:
        keep_keys(rows, kicks.connection.key, KeptKeys("https://idp.example/keys", b"{}", kicks.now))
    delete_connection(kicks.context, OPERATOR, "kicks", kicks.connection.id, kicks.now)
    with pytest.raises(NotFound):
        end_by_idp(kicks.context, gone, kicks.now)
    with kicks.context.database.reading() as rows:
        assert find_keys(rows, kicks.connection.key) is None


def test_a_logout_told_while_the_browser_is_on_its_way_is_seen_when_it_arrives(kicks: World) -> None:
    """Both may have been under way at once, neither seeing the other (PostgreSQL)."""
    browser, stated = Browser(), kicks.now - timedelta(minutes=1)
    said: dict[str, Any] = {"name_id": "mei", "session_index": "laptop", "asserted_at": stated}
    handle = complete(
        kicks.context, "saml", answer(kicks, "mei@k.example", to=start(kicks, browser), **said), kicks.now
    )
    with kicks.context.changing(OPERATOR, kicks.now) as change:
        whose = Whose(name_id="mei", session_indexes=("laptop",))
        remember_end(change, kicks.connection.key, whose, kicks.now, kicks.now + timedelta(days=1))
    with pytest.raises(EndedAtIdp):
        fetch_result(kicks.context, handle, browser, kicks.now)
