"""Mail leaves after the commit, at least once, and a dead server costs that delivery only (property 19)."""

from datetime import datetime, timedelta

import pytest
from sqlalchemy import select

from bridge.domain.mail import Mail
from bridge.flows.context import OPERATOR, Context
from bridge.flows.deliver import deliver_due, forget_given_up, queue_mail, stuck_mail
from bridge.storage.outbox import Stuck, claim
from bridge.storage.tables import outbox
from tests.flows.audit import everything_kept
from tests.flows.mailer import KeptMail, MailServerDown

HELLO = Mail("ines@kicks.example", "Hello", "A link: http://localhost:8000/invitations/secret", "<p>A link</p>")


def queue(context: Context, now: datetime, mail: Mail = HELLO) -> None:
    with context.changing(OPERATOR, now) as change:
        queue_mail(context, change, mail)


def test_a_mail_is_sent_once_as_written(context: Context, now: datetime) -> None:
    queue(context, now)
    mailer = KeptMail()
    assert deliver_due(context, mailer, now) == 1
    assert deliver_due(context, mailer, now) == 0
    assert mailer.sent == [HELLO]


def test_a_change_that_is_undone_sends_nothing(context: Context, now: datetime) -> None:
    def fail() -> None:
        with context.changing(OPERATOR, now) as change:
            queue_mail(context, change, HELLO)
            raise RuntimeError

    with pytest.raises(RuntimeError):
        fail()
    assert deliver_due(context, KeptMail(), now) == 0


def test_it_is_sealed_while_it_waits(context: Context, now: datetime) -> None:
    queue(context, now)
    assert "invitations/secret" not in everything_kept(context)


def test_a_dead_server_is_tried_again_later_and_later(context: Context, now: datetime) -> None:
    queue(context, now)
    dead, moment = MailServerDown(), now
    waits: list[timedelta] = []
    for _ in range(5):
        waited = timedelta()
        while deliver_due(context, dead, moment) == 0 and dead.tries == len(waits):
            moment += timedelta(seconds=30)
            waited += timedelta(seconds=30)
        waits.append(waited)
    minutes = [wait / timedelta(minutes=1) for wait in waits]
    assert minutes == [0, 1, 2, 4, 8]
    assert deliver_due(context, KeptMail(), moment + timedelta(hours=7)) == 1


def test_one_that_fails_holds_up_no_other(context: Context, now: datetime) -> None:
    class Picky(KeptMail):
        def send(self, mail: Mail) -> None:
            if mail.to.startswith("bad"):
                raise ValueError("no such mailbox")
            super().send(mail)

    queue(context, now, Mail("bad@kicks.example", "", ""))
    queue(context, now)
    mailer = Picky()
    assert deliver_due(context, mailer, now) == 1
    assert mailer.sent == [HELLO]


def test_it_is_given_up_after_four_days(context: Context, now: datetime) -> None:
    queue(context, now)
    later = now + timedelta(days=4, seconds=1)
    assert deliver_due(context, MailServerDown(), later) == 0
    assert deliver_due(context, KeptMail(), later + timedelta(days=1)) == 0


def test_an_operator_sees_what_fails_and_for_a_month_what_was_given_up(context: Context, now: datetime) -> None:
    queue(context, now)
    assert stuck_mail(context) == Stuck(0, None, 0, None)
    deliver_due(context, MailServerDown(), now)
    failing = stuck_mail(context)
    assert (failing.failing, failing.given_up) == (1, 0)
    assert "nobody answers" in (failing.failing_error or "")
    later = now + timedelta(days=4, seconds=1)
    deliver_due(context, MailServerDown(), later)
    given_up = stuck_mail(context)
    assert (given_up.failing, given_up.given_up) == (0, 1)
    assert "nobody answers" in (given_up.given_up_error or "")
    with context.database.reading() as connection:
        assert connection.execute(select(outbox.c.body)).scalars().all() == [{}]
    forget_given_up(context, later + timedelta(days=29))
    assert stuck_mail(context) == given_up
    forget_given_up(context, later + timedelta(days=31))
    assert stuck_mail(context) == Stuck(0, None, 0, None)


def test_what_one_process_sends_no_other_does(context: Context, now: datetime) -> None:
    queue(context, now)
    with context.database.writing() as connection:
        claim(connection, now, until=now + timedelta(minutes=10), at_most=20)
    assert deliver_due(context, KeptMail(), now + timedelta(minutes=9)) == 0
    assert deliver_due(context, KeptMail(), now + timedelta(minutes=10)) == 1  # the first died meanwhile


def test_at_most_five_at_once_oldest_first(context: Context, now: datetime) -> None:
    for n in range(25):
        queue(context, now, Mail(f"p{n}@kicks.example", "", ""))
    mailer = KeptMail()
    assert [deliver_due(context, mailer, now) for _ in range(6)] == [5, 5, 5, 5, 5, 0]
    assert [mail.to for mail in mailer.sent] == [f"p{n}@kicks.example" for n in range(25)]
