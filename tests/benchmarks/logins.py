"""What a SAML login costs in processor time: the checks alone beside raw xmlsec, and whole logins beside npm
`@boxyhq/saml-jackson`, in the same run.

Processor time, not time by the clock: that of this process for the checks, and that of the server's processes for
whole logins, so that the pretended IdP, which signs here, isn't counted.
"""

import base64
import itertools
import json
import time
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, quote, urlencode, urlsplit

import xmlsec
from lxml import etree

from saml.response import validate
from saml.service_provider import ServiceProvider
from tests.benchmarks.cells import FORM, Cell, login_by, request_id_of, set_up
from tests.benchmarks.http import Client
from tests.benchmarks.peer import Jackson
from tests.benchmarks.spent import spent_by_group
from tests.running import Bridge
from tests.saml.idp import BRIDGE, KICKS, NOW, NS, Signed, answer, keys, post, respond, sign_in

#: Logins in one go: the kernel counts a process's time finely, and what runs beside is spread.
AT_ONCE = 50
APPLICATION = "http://127.0.0.1:1/callback"
WAYS: tuple[tuple[str, Signed, str | None], ...] = (
    ("assertion signed", "assertion", None),
    ("both signed", "both", None),
    ("both signed, AES-256-GCM", "both", "AES256_GCM"),
)


def login_table(bridge: Bridge, folder: Path, jackson: Jackson | None) -> list[Cell]:
    """The checks in this process, a login in the bridge's, and one in the peer's where there is one."""
    connection, _ = set_up(bridge, folder)
    cells = [cell for title, signed, cipher in WAYS for cell in _checks(title, signed, cipher)]
    ours = Cell(
        "login",
        "SAML login, whole (3 requests)",
        _often(login_by(bridge, connection)),
        ("jackson",) if jackson else (),
        "≤ 0.33 jackson",
        times=1,
        scale=1 / AT_ONCE,
        clock=lambda: spent_by_group(bridge.process.pid),
    )
    return [*cells, ours, *([] if jackson is None else [_jackson(jackson)])]


# -- The checks alone ------------------------------------------------------------------------------------------------


def _checks(title: str, signed: Signed, cipher: str | None) -> list[Cell]:
    form = post(respond(KICKS, answer(), signed=signed, encrypted=cipher))
    octets = base64.b64decode(form["SAMLResponse"])
    goal = "≤ 3 ms; ≤ 4 raw" if cipher else "≤ 2 ms; ≤ 4 raw"

    def check() -> None:
        validate(form, KICKS.trusted, BRIDGE, NOW, allow_unsolicited=False)

    raw = Cell(f"raw {title}", f"raw xmlsec: {title}", _raw(octets), (), "", clock=time.process_time)
    return [Cell(title, f"a response checked: {title}", check, (raw.name,), goal, clock=time.process_time), raw]


def _raw(octets: bytes) -> Callable[[], object]:
    """Parse, decrypt and verify with keys that are kept, and look at nothing else."""
    key = xmlsec.Key.from_memory(keys(KICKS.key).certificate, xmlsec.constants.KeyDataFormatCertPem)
    manager = xmlsec.KeysManager()
    manager.add_key(xmlsec.Key.from_memory(keys("bridge").private, xmlsec.constants.KeyDataFormatPem))

    def verify() -> None:
        root = etree.fromstring(octets)
        signatures = [one for one in (root.find("ds:Signature", NS),) if one is not None]
        xmlsec.tree.add_ids(root, ["ID"])
        _verify(key, signatures)
        data = root.find("saml:EncryptedAssertion/xenc:EncryptedData", NS)
        if data is not None:
            root = etree.fromstring(etree.tostring(xmlsec.EncryptionContext(manager).decrypt(data)))
            xmlsec.tree.add_ids(root, ["ID"])
        _verify(key, root.findall(".//saml:Assertion/ds:Signature", NS) or root.findall("ds:Signature", NS))

    return verify


def _verify(key: xmlsec.Key, signatures: list[Any]) -> None:
    for signature in signatures:
        context = xmlsec.SignatureContext()
        context.key = key
        context.verify(signature)


# -- Whole logins ----------------------------------------------------------------------------------------------------


def _often(login: Callable[[], object]) -> Callable[[], None]:
    def often() -> None:
        for _ in range(AT_ONCE):
            login()

    return often


def _jackson(peer: Jackson) -> Cell:
    """Authorize → ACS → token → userinfo, as an application behind it signs somebody in."""
    browser, number = Client(peer.url), itertools.count()
    sp = ServiceProvider(f"{peer.url}/metadata", f"{peer.url}/acs", None, "", ())
    asked = urlencode({"response_type": "code", "redirect_uri": APPLICATION, "state": "s", "client_id": peer.client_id})

    def login() -> None:
        status, headers, said = browser.call("GET", f"/authorize?{asked}")
        assert status == 302, said
        sent = parse_qs(urlsplit(headers["Location"]).query)
        email = f"person{next(number) % 100}@kicks.example"
        request_id = request_id_of(sent["SAMLRequest"][0])
        form = sign_in(
            KICKS, sp, datetime.now(UTC), email=email, in_response_to=request_id, relay_state=sent["RelayState"][0]
        )
        status, headers, said = browser.call("POST", "/acs", urlencode(form).encode(), FORM)
        assert status == 302, said
        code = parse_qs(urlsplit(headers["Location"]).query)["code"][0]
        told = {
            "grant_type": "authorization_code",
            "client_id": peer.client_id,
            "client_secret": peer.client_secret,
            "redirect_uri": APPLICATION,
            "code": code,
        }
        status, _, said = browser.call("POST", "/token", urlencode(told, quote_via=quote).encode(), FORM)
        assert status == 200, said
        bearer = {"Authorization": f"Bearer {json.loads(said)['access_token']}"}
        status, _, said = browser.call("GET", "/userinfo", headers=bearer)
        assert json.loads(said)["email"] == email, (status, said)

    title = "npm saml-jackson: authorize, ACS, token, userinfo (4 requests, in memory)"
    return Cell(
        "jackson", title, _often(login), (), times=1, scale=1 / AT_ONCE, clock=lambda: spent_by_group(peer.group)
    )
