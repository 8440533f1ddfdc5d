"""The guide says what is so: its client can be registered, its commands and events are those there are."""

import json
import re

import pytest

from simulated.openid_provider.clients import parse_client
from simulated.twilio import events
from simulated.twilio.people import load_people
from simulated.twilio.site import Site
from tests.simulated.program import ROOT

GUIDE = (ROOT / "docs" / "guides" / "simulated-twilio.md").read_text(encoding="utf-8")
EVENT_TYPES = {value for name, value in vars(events).items() if name.isupper() and name not in ("RISC", "CAEP")}


def test_its_client_can_be_registered() -> None:
    (document,) = json.loads(re.findall(r"```json\n(.*?)```", GUIDE, re.DOTALL)[0])
    assert parse_client(document).client_id == "segment"


@pytest.mark.parametrize("event_type", sorted(EVENT_TYPES), ids=lambda value: value.rpartition("/")[2])
def test_it_lists_every_type_of_event(event_type: str) -> None:
    last = event_type.rpartition("/")[2]
    assert f"/{last}`" in GUIDE


def test_the_people_of_the_demo_keep_the_rules(site: Site) -> None:
    people = json.loads((ROOT / "config" / "demo" / "twilio_people.json").read_text(encoding="utf-8"))
    load_people(site, people)
    assert all(person["password"] in GUIDE for person in people)
