"""`bridge worker`: sends what waits, and ends well when it is told to."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from bridge.domain.mail import Mail
from bridge.flows.context import OPERATOR
from bridge.flows.deliver import deliver_due, queue_mail
from bridge.flows.jobs import HEARTBEAT, claim_job, note_done, note_failed, plan_jobs
from bridge.flows.renew_secrets import renew_secrets
from bridge.settings import read_settings
from bridge.wiring import make_context
from tests.cli.conftest import Shell
from tests.flows.mailer import MailServerDown

ROOT = Path(__file__).parents[2]


def wait_for(happened: Callable[[], object]) -> None:
    deadline = time.monotonic() + 30
    while not happened():
        assert time.monotonic() < deadline
        time.sleep(0.05)


@pytest.mark.parametrize("end", [signal.SIGTERM, signal.SIGINT])
def test_a_worker_sends_what_waits_until_it_is_told_to_stop(shell: Shell, tmp_path: Path, end: signal.Signals) -> None:
    context = make_context(read_settings())
    with context.changing(OPERATOR, datetime.now(UTC)) as change:
        queue_mail(context, change, Mail("ines@kicks.example", "Hello", "Hello", None))
    context.database.close()
    environ = {**os.environ, "PYTHONPATH": str(ROOT)}
    running = subprocess.Popen(
        [sys.executable, "-m", "bridge", "worker"], cwd=tmp_path, env=environ, stderr=subprocess.PIPE, text=True
    )
    try:
        wait_for(lambda: list((tmp_path / "var" / "mail").glob("*.eml")))
    finally:
        running.send_signal(end)
        _, said = running.communicate(timeout=30)
    assert (running.returncode, said) == (0, "")


def said_of(shell: Shell, subject: str) -> list[tuple[str, str]]:
    """What the doctor finds about it."""
    wire = shell.json("doctor")
    assert wire["healthy"]
    return [(one["state"], one["text"]) for one in wire["findings"] if one["subject"] == subject]


def test_the_doctor_tells_of_the_worker_and_of_what_is_overdue(shell: Shell) -> None:
    [(state, text)] = said_of(shell, "worker")
    assert (state, "none has worked" in text) == ("warning", True)
    context, now = make_context(read_settings()), datetime.now(UTC)
    plan_jobs(context, {"sweep": 60}, now)
    claim_job(context, HEARTBEAT, "me", now)
    note_done(context, HEARTBEAT, "me", now, 30)
    [(state, text)] = said_of(shell, "worker")
    assert (state, text.startswith("last alive on")) == ("ok", True)
    claim_job(context, "sweep", "me", now)
    note_failed(context, "sweep", "me", "OSError: no disk", now, 60, 2)
    claim_job(context, "sweep", "me", now + timedelta(hours=1))
    context.database.close()
    [(state, text)] = said_of(shell, "worker")
    assert (state, "sweep is overdue: it never succeeded; OSError: no disk" in text) == ("warning", True)


def test_the_doctor_tells_of_mail_that_does_not_leave(shell: Shell) -> None:
    context, now = make_context(read_settings()), datetime.now(UTC)
    for _ in range(2):
        with context.changing(OPERATOR, now) as change:
            queue_mail(context, change, Mail("ines@kicks.example", "Hello", "Hello", None))
    deliver_due(context, MailServerDown(), now)
    context.database.close()
    [(state, text)] = said_of(shell, "outbox")
    assert state == "warning"
    assert text.startswith("2 can't be delivered and are tried again: ConnectionRefusedError")


def test_the_doctor_tells_when_an_older_key_can_go(kicks: Shell, okta: str, monkeypatch: pytest.MonkeyPatch) -> None:
    context = make_context(read_settings())
    old = context.secrets.keys[0]
    context.database.close()
    assert said_of(kicks, "secret keys") == []
    monkeypatch.setenv("BRIDGE_SECRET_KEYS", f"a new key for tests and long enough,{old}")
    [(state, text)] = said_of(kicks, "secret keys")
    assert (state, "aren't encrypted with the first" in text) == ("warning", True)
    context = make_context(read_settings())
    renew_secrets(context)
    context.database.close()
    assert said_of(kicks, "secret keys") == [("ok", "the first encrypts all there is. The 1 older key can go")]


def test_the_doctor_tells_of_tokens_and_certificates_that_end(kicks: Shell, okta: str) -> None:
    kicks.json("scim-token", "create", "kicks", "--connection", okta, "--expires-in", "20")
    [(state, text)] = said_of(kicks, "expiry")
    assert (state, text.startswith("the SCIM token Okta provisioning (")) == ("warning", True)
