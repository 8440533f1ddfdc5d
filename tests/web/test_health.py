"""`/healthz` and `/readyz`, which also says how background work goes."""

from datetime import UTC, datetime, timedelta

from bridge.app import create_web
from bridge.flows.jobs import HEARTBEAT, claim_job, note_done, plan_jobs
from bridge.storage.database import Database
from tests.world import make_context


def test_readiness_tells_when_a_worker_last_lived_and_what_is_overdue(database: Database) -> None:
    context = make_context(database)
    client = create_web(context).test_client()
    assert client.get("/readyz").json == {"status": "ok", "worker": {"last_alive": None, "overdue": []}}
    now = datetime.now(UTC)
    plan_jobs(context, {"sweep": 60}, now - timedelta(hours=1))
    claim_job(context, HEARTBEAT, "me", now)
    note_done(context, HEARTBEAT, "me", now, 30)
    answer = client.get("/readyz")
    assert answer.status_code == 200
    assert answer.json is not None
    assert answer.json["worker"] == {"last_alive": now.isoformat().replace("+00:00", "Z"), "overdue": ["sweep"]}
    assert client.get("/healthz").json == {"status": "ok"}
