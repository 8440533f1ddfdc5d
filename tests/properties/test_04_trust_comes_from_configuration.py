"""4. Trust comes from configuration only.

Keys inside a message are never trusted; a connection without a certificate refuses everybody.

Beside: tests/saml/test_attacks.py, tests/saml/test_response.py.
"""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from bridge.domain.errors import Invalid
from bridge.flows.connect import SamlDraft, create_saml
from bridge.flows.context import OPERATOR
from bridge.flows.saml_connection import load_saml
from bridge.storage.changes import changing
from bridge.storage.connections import set_connection
from saml.errors import Refused
from saml.response import validate
from tests.saml.idp import BRIDGE, KICKS, NOW, Signed, TestIdp, answer, post, respond, sign_in
from tests.world import World

STRANGER = TestIdp(entity_id=KICKS.entity_id, base_url=KICKS.base_url, key="stranger")


@pytest.mark.parametrize("signed", ["assertion", "response", "both"])
def test_a_key_inside_the_message_is_never_trusted(signed: Signed) -> None:
    form = post(respond(STRANGER, answer(), signed=signed))
    validate(form, STRANGER.trusted, BRIDGE, NOW, allow_unsolicited=False)  # whoever configured that key may
    with pytest.raises(Refused):
        validate(form, KICKS.trusted, BRIDGE, NOW, allow_unsolicited=False)


@pytest.mark.parametrize("signed", ["assertion", "response", "both", "nothing"])
@pytest.mark.parametrize("idp", [KICKS, STRANGER])
def test_without_a_certificate_everybody_is_refused(idp: TestIdp, signed: Signed) -> None:
    unconfigured = replace(idp.trusted, certificates=())
    with pytest.raises(Refused):
        validate(post(respond(idp, answer(), signed=signed)), unconfigured, BRIDGE, NOW, allow_unsolicited=True)


def test_a_connection_whose_certificates_were_cleared_lets_nobody_in(acme: World) -> None:
    moment = datetime.now(UTC) + timedelta(minutes=1)
    made = create_saml(acme.context, OPERATOR, "acme", SamlDraft(KICKS.metadata, name="Kicks"), moment)
    ours = load_saml(acme.context, made.id)
    form = sign_in(KICKS, ours.sp, moment, in_response_to=None)
    validate(form, ours.idp, ours.sp, moment, allow_unsolicited=True)
    with changing(acme.context.database, OPERATOR, moment) as change:
        idp = {**made.config["idp"], "certificates": []}
        set_connection(change, made.key, config={**made.config, "idp": idp})
    ours = load_saml(acme.context, made.id)
    with pytest.raises(Refused):
        validate(form, ours.idp, ours.sp, moment, allow_unsolicited=True)


def test_metadata_without_a_certificate_makes_no_connection(acme: World) -> None:
    begin, end = KICKS.metadata.index(b"<md:KeyDescriptor"), KICKS.metadata.index(b"<md:SingleSignOnService")
    without = KICKS.metadata[:begin] + KICKS.metadata[end:]
    with pytest.raises(Invalid):
        create_saml(acme.context, OPERATOR, "acme", SamlDraft(without, name="Kicks"), acme.now)
