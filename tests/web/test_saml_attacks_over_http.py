"""Attacks on signing in by SAML, on the real server: each ends in a 4xx, none in a session (properties.md 9, 12, 18).

tests/web/test_saml_login.py asks the application in its own process; here are processes, sockets and threads.
"""

import base64
import threading
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import partial
from itertools import count
from pathlib import Path
from typing import Any
from urllib.parse import urljoin, urlsplit

import pytest
import requests

from saml.service_provider import ServiceProvider
from tests.running import Bridge, running
from tests.saml import idp
from tests.saml.canary import visitors
from tests.saml.corpus import ATTACKS
from tests.saml.idp import KICKS
from tests.web.browsing import request_id_in
from tests.web.test_scim_hostile import kibibytes, processor_seconds

pytestmark = pytest.mark.long  # a real server, and the same refusals as in test_saml_login


AT_ONCE = 20
SECONDS = 30  # that any one answer may take, on a machine that is busy elsewhere

_serial = count(1)

Form = dict[str, str]


@dataclass(frozen=True, slots=True)
class Door:
    """A connection of the workspace `acme`: its addresses, and signed answers for it."""

    made: dict[str, Any]

    @property
    def login_url(self) -> str:
        return str(self.made["login_url"])

    @property
    def acs_url(self) -> str:
        return str(self.made["acs_url"])

    def answer(self, request_id: str | None, **said: Any) -> Form:
        """A good answer of the IdP, about somebody new unless `email` says who."""
        sp = ServiceProvider(self.made["sp_entity_id"], self.acs_url, None, "", ())
        now = datetime.now(UTC).replace(microsecond=0)
        said = {"email": f"person{next(_serial)}@kicks.example"} | said
        return idp.sign_in(KICKS, sp, now, in_response_to=request_id, **said)


@dataclass(frozen=True, slots=True)
class Site:
    """A bridge that runs, with two connections of one IdP."""

    bridge: Bridge
    door: Door
    other_door: Door

    def browser(self) -> "Browser":
        """Somebody who was never here before."""
        return Browser(self, requests.Session())


@dataclass(frozen=True, slots=True)
class Browser:
    """A browser and its cookies."""

    site: Site
    kept: requests.Session

    def get(self, path: str) -> requests.Response:
        """One answer, no redirect followed."""
        return self.kept.get(urljoin(self.site.bridge.url, path), allow_redirects=False, timeout=SECONDS)

    def start(self, return_to: bytes | None = None) -> str:
        """Go to the IdP. Returns the id of the request that arrives there."""
        query = {} if return_to is None else {"return_to": return_to}
        url = self.site.door.login_url
        told = self.kept.get(url, params=query, allow_redirects=False, timeout=SECONDS)
        return request_id_in(told.headers["Location"])

    def sign_in(self, form: Form) -> requests.Response:
        """Bring an answer, and fetch what it gave."""
        return self.get(post(self.site.door, form).headers["Location"])

    def is_signed_in(self) -> bool:
        """Whether `/session` knows this browser."""
        return self.get("/session").status_code == 200


def post(door: Door, form: Form) -> requests.Response:
    """The browser's POST from the IdP's page: cross-site, so without our cookies."""
    return send(door, data=form)


def send(door: Door, **body: Any) -> requests.Response:
    """Anything, to the assertion consumer service."""
    return requests.post(door.acs_url, allow_redirects=False, timeout=SECONDS, **body)


def is_refused(told: requests.Response) -> bool:
    """A 4xx with a page of ours, which signs nobody in."""
    return 400 <= told.status_code < 500 and "<main" in told.text and "bridge_session" not in told.cookies


def make_site(bridge: Bridge, folder: Path) -> Site:
    """A workspace and its connections, as an operator makes them."""
    metadata = folder / "idp.xml"
    metadata.write_bytes(KICKS.metadata)
    bridge.run("workspace", "create", "acme", "--name", "Acme", "--owner", "olga@acme.example")
    command = ("connection", "create", "acme", "--kind", "saml", "--idp-metadata", str(metadata))
    one, other = (Door(bridge.run(*command, "--name", name)["connection"]) for name in ("One", "Other"))
    return Site(bridge, one, other)


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    folder = tmp_path_factory.mktemp("attacked")
    with running(folder) as bridge:
        yield make_site(bridge, folder)


@pytest.fixture(autouse=True)
def it_still_works(request: pytest.FixtureRequest) -> Iterator[None]:
    """After each attack on the shared site a good login succeeds, and nothing was worth a stack trace."""
    yield
    if "site" in request.fixturenames:
        site: Site = request.getfixturevalue("site")
        browser = site.browser()
        browser.sign_in(site.door.answer(browser.start()))
        assert browser.is_signed_in()
        assert "Traceback" not in site.bridge.log.read_text()


# -- At once -----------------------------------------------------------------------------------------


def at_once(jobs: Sequence[Callable[[], requests.Response]]) -> list[requests.Response]:
    """Do all of them, begun at the same moment."""
    together = threading.Barrier(len(jobs))

    def run(job: Callable[[], requests.Response]) -> requests.Response:
        together.wait()
        return job()

    with ThreadPoolExecutor(len(jobs)) as pool:
        return list(pool.map(run, jobs))


def statuses(told: Sequence[requests.Response]) -> Counter[int]:
    """How often each status was answered."""
    return Counter(one.status_code for one in told)


def test_whoever_races_gets_in_once(tmp_path: Path, database_url: str) -> None:
    with running(tmp_path, database_url=database_url) as bridge:
        site = make_site(bridge, tmp_path)
        _one_answer_posted_often(site)
        _one_handle_fetched_often(site)
        _one_person_who_comes_for_the_first_time_often(site)
        assert "Traceback" not in bridge.log.read_text()


def _one_answer_posted_often(site: Site) -> None:
    form = site.door.answer(site.browser().start())
    told = at_once([partial(post, site.door, form)] * AT_ONCE)
    assert statuses(told) == {303: 1, 403: AT_ONCE - 1}


def _one_handle_fetched_often(site: Site) -> None:
    browser = site.browser()
    there = post(site.door, site.door.answer(browser.start())).headers["Location"]
    tabs = [site.browser() for _ in range(AT_ONCE)]
    for tab in tabs:
        tab.kept.cookies.update(browser.kept.cookies)
    told = at_once([partial(tab.get, there) for tab in tabs])
    assert statuses(told) == {303: 1, 403: AT_ONCE - 1}
    assert sum(tab.is_signed_in() for tab in tabs) == 1


def _one_person_who_comes_for_the_first_time_often(site: Site) -> None:
    browsers = [site.browser() for _ in range(AT_ONCE)]
    email, groups = "new@kicks.example", ("eng", "ops")
    forms = [site.door.answer(browser.start(), email=email, groups=groups) for browser in browsers]
    posted = at_once([partial(post, site.door, form) for form in forms])
    assert statuses(posted) == {303: AT_ONCE}
    handles = [one.headers["Location"] for one in posted]
    told = at_once([partial(browser.get, there) for browser, there in zip(browsers, handles, strict=True)])
    assert statuses(told) == {303: AT_ONCE}
    assert len({browser.get("/session").json()["user"]["id"] for browser in browsers}) == 1
    assert site.bridge.run_text("users", "export", "acme").count(email) == 1


# -- Somebody else's ---------------------------------------------------------------------------------


def test_an_answer_for_one_connection_is_refused_at_another_and_good_at_its_own(site: Site) -> None:
    browser = site.browser()
    form = site.door.answer(browser.start())
    assert is_refused(post(site.other_door, form))
    browser.sign_in(form)
    assert browser.is_signed_in()


def test_a_request_of_one_connection_is_not_answered_through_another(site: Site) -> None:
    assert is_refused(post(site.other_door, site.other_door.answer(site.browser().start())))


@pytest.mark.parametrize("came_before", [False, True], ids=["a new browser", "a browser that began a login too"])
def test_a_handle_is_no_use_to_another_browser_and_stays_good_for_the_right_one(site: Site, came_before: bool) -> None:
    right, wrong = site.browser(), site.browser()
    if came_before:
        wrong.start()
    there = post(site.door, site.door.answer(right.start())).headers["Location"]
    assert is_refused(wrong.get(there))
    assert not wrong.is_signed_in()
    right.get(there)
    assert right.is_signed_in()


def test_a_handle_at_another_connections_address_signs_nobody_in_there(site: Site) -> None:
    browser = site.browser()
    there = post(site.door, site.door.answer(browser.start())).headers["Location"]
    elsewhere = urljoin(site.other_door.login_url, "continue") + "?" + urlsplit(there).query
    browser.get(elsewhere)
    said = browser.get("/session").json() if browser.is_signed_in() else {"authenticated_by": []}
    assert {by["connection"] for by in said["authenticated_by"]} <= {site.door.made["id"]}


def test_the_account_of_another_is_proved_in_the_browser_that_signed_in(site: Site) -> None:
    browser, thief = site.browser(), site.browser()
    thief.start()
    # Olga was named by an operator: no IdP may open her account by saying her address.
    asked = browser.sign_in(site.door.answer(browser.start(), email="olga@acme.example")).headers["Location"]
    assert "Is this account yours?" in browser.get(asked).text
    token = urlsplit(asked).path.rpartition("/")[2]
    assert is_refused(thief.get(asked))
    assert is_refused(thief.get(f"/login?prove={token}"))
    assert not browser.is_signed_in()
    assert not thief.is_signed_in()


def test_two_tabs_of_one_browser_both_arrive_where_they_were_going(site: Site) -> None:
    browser = site.browser()
    first, second = (browser.start(path) for path in (b"/w/acme/users", b"/w/acme/tokens"))
    answers = (site.door.answer(request_id, email="mei@kicks.example") for request_id in (second, first))
    told = [browser.sign_in(form) for form in answers]
    assert [one.headers["Location"] for one in told] == ["/w/acme/tokens", "/w/acme/users"]
    assert browser.is_signed_in()


# -- Where to go -------------------------------------------------------------------------------------

ELSEWHERE = (
    *(b"//evil.example", b"/\\evil.example", b"\\\\evil.example", b"https://evil.example", b"https:evil.example"),
    *(b"/\t/evil.example", b"/\n/evil.example", b"\t//evil.example", b" //evil.example", b"javascript:alert(1)"),
    *(b"/\r\nSet-Cookie: a=b", b"/\x00", b"/\x7f", b"evil.example", b"/" + b"x" * 5000, b"http://[", b""),
)
HERE = (
    b"/\xe6\x97\xa5?\xc3\xa4=1#\xc3\xb6",
    b"/\xff",
    b"/\xed\xa0\x80",
    b"/\xc2\x85",
    b"/%",
    b"/..//evil.example",
    b"/;@evil",
)


@pytest.mark.parametrize("asked", ELSEWHERE)
def test_another_sites_address_is_not_gone_to(site: Site, asked: bytes) -> None:
    browser = site.browser()
    told = browser.sign_in(site.door.answer(browser.start(asked)))
    assert (told.status_code, told.headers["Location"]) == (303, "/")
    assert browser.is_signed_in()


@pytest.mark.parametrize("asked", HERE)
def test_an_odd_path_of_ours_leads_to_ours(site: Site, asked: bytes) -> None:
    browser = site.browser()
    told = browser.sign_in(site.door.answer(browser.start(asked)))
    assert told.status_code == 303
    there = urlsplit(urljoin(site.bridge.url, told.headers["Location"]))
    assert f"{there.scheme}://{there.netloc}" == site.bridge.url
    assert told.headers["Location"].isascii()


def test_a_very_long_relay_state_changes_nothing(site: Site) -> None:
    browser = site.browser()
    form = site.door.answer(browser.start(b"/w/acme"), relay_state="https://evil.example/" + "x" * 500_000)
    assert browser.sign_in(form).headers["Location"] == "/w/acme"


# -- What is no answer -------------------------------------------------------------------------------

URLENCODED = {"Content-Type": "application/x-www-form-urlencoded"}
BODIES: dict[str, dict[str, Any]] = {
    "nothing": {},
    "no SAMLResponse": {"data": {"RelayState": "x"}},
    "an empty one": {"data": {"SAMLResponse": ""}},
    "a request instead": {"data": {"SAMLRequest": "PGEvPg=="}},
    "it stands in the query": {"params": {"SAMLResponse": "PGEvPg=="}},
    "two": {"data": [("SAMLResponse", "PGEvPg=="), ("SAMLResponse", "PGIvPg==")]},
    "a file": {"files": {"SAMLResponse": ("a.xml", b"<a/>")}},
    "JSON": {"json": {"SAMLResponse": "PGEvPg=="}},
    "XML": {"data": b"<a/>", "headers": {"Content-Type": "application/xml"}},
    "no type": {"data": b"SAMLResponse=PGEvPg==", "headers": {"Content-Type": ""}},
    "a type that is none": {"data": b"SAMLResponse=x", "headers": {"Content-Type": ';;;=;charset="'}},
    "UTF-16": {"data": "SAMLResponse=x".encode("utf-16"), "headers": URLENCODED},
    "compressed": {"data": b"\x1f\x8b\x08", "headers": URLENCODED | {"Content-Encoding": "gzip"}},
    "parts without a boundary": {"data": b"x", "headers": {"Content-Type": "multipart/form-data"}},
    "parts with a long one": {"data": b"x", "headers": {"Content-Type": f"multipart/form-data; boundary={'b' * 5000}"}},
    "a part cut off": {
        "data": b'--x\r\nContent-Disposition: form-data; name="SAMLResponse"\r\n\r\nPGE',
        "headers": {"Content-Type": "multipart/form-data; boundary=x"},
    },
    "many fields": {"data": "&".join(f"a{n}=1" for n in range(50_000)), "headers": URLENCODED},
    "many parts": {"files": {f"a{n}": (None, "x") for n in range(3000)}},
    "1.5 MB": {"data": b"SAMLResponse=" + b"A" * 1_500_000, "headers": URLENCODED},
    "3 MB": {"data": b"SAMLResponse=" + b"A" * 3_000_000, "headers": URLENCODED},
    "percent signs": {"data": b"SAMLResponse=" + b"%" * 100_000, "headers": URLENCODED},
    "cookies that are none": {"headers": {"Cookie": b'bridge_session=\xff\xfe; bridge_browser="\\777"'}},
    "another host": {"headers": {"Host": "evil.example"}},
}


@pytest.mark.parametrize("body", BODIES)
def test_what_is_no_answer_gets_a_page_and_no_session(site: Site, body: str) -> None:
    assert is_refused(send(site.door, **BODIES[body]))


def test_a_body_in_chunks_is_counted_as_it_comes(site: Site) -> None:
    told = send(site.door, data=iter([b"SAMLResponse=", *[b"A" * 100_000] * 40]), headers=URLENCODED)
    assert told.status_code == 413
    assert is_refused(told)


@pytest.mark.parametrize(
    ("sent", "status"),
    [
        ({"data": b"SAMLResponse=" + b"A" * 11_000_000, "headers": URLENCODED}, 413),
        ({"headers": {"X-Long": "x" * 70_000}}, 431),
        ({"headers": {"User-Agent": b"\x01"}}, 400),
    ],
    ids=["over 10 MB", "headers over 64 KB", "a control character in a header"],
)
def test_what_the_server_itself_refuses_never_reaches_us(site: Site, sent: dict[str, Any], status: int) -> None:
    assert send(site.door, **sent).status_code == status


@pytest.mark.parametrize("method", ["GET", "HEAD", "PUT", "PATCH", "DELETE", "TRACE", "PROPFIND", "NONE"])
def test_an_answer_comes_by_post_only(site: Site, method: str) -> None:
    form = site.door.answer(site.browser().start())
    told = requests.request(method, site.door.acs_url, params=form, allow_redirects=False, timeout=SECONDS)
    assert told.status_code == 405
    assert set(told.headers["Allow"].split(", ")) == {"POST", "OPTIONS"}
    assert "bridge_session" not in told.cookies


@pytest.mark.parametrize("what", ["login", "acs", "continue", "metadata"])
def test_options_do_nothing(site: Site, what: str) -> None:
    browser = site.browser()
    there = post(site.door, site.door.answer(browser.start())).headers["Location"]
    url = urljoin(site.door.login_url, what) + "?" + urlsplit(there).query
    told = browser.kept.options(url, timeout=SECONDS)
    assert (told.status_code, told.text, "Set-Cookie" in told.headers) == (200, "", False)
    assert browser.get(there).status_code == 303, "the handle is still there"


@pytest.mark.parametrize(
    "path", ["login/", "ACS", "acs/x", "continue/..%2facs", "%00", "acs%0a", "slo/x", "x" * 20_000]
)
def test_nothing_is_at_other_addresses(site: Site, path: str) -> None:
    assert is_refused(site.browser().get(urlsplit(site.door.login_url).path.removesuffix("login") + path))


@pytest.mark.parametrize(
    "handle", ["", "handle=", "handle=%00", "handle=%ff", "handle=a&handle=b", "handle=" + "h" * 50_000]
)
def test_a_handle_that_was_never_given_is_refused(site: Site, handle: str) -> None:
    browser = site.browser()
    browser.start()
    assert is_refused(browser.get(f"{urlsplit(site.door.login_url).path.removesuffix('login')}continue?{handle}"))
    assert not browser.is_signed_in()


# -- The whole corpus --------------------------------------------------------------------------------


def test_every_attack_by_name_is_refused_in_two_seconds_and_leaves_nothing_behind(site: Site) -> None:
    """They aren't made for this connection (tests/web/test_saml_corpus.py plays them at theirs): what is measured is
    what the server's processes take for them, at the most they ever held.
    """
    assert len(ATTACKS) > 400
    send(site.door, data={"SAMLResponse": "warm"})
    visitors()  # of before
    pids = _pids(site.bridge)
    held = sum(kibibytes(pid, "VmRSS") for pid in pids)
    for pid in pids:
        Path(f"/proc/{pid}/clear_refs").write_text("5")  # proc(5): the peak starts again from here
    for attack in ATTACKS:
        form = attack.make()
        began = sum(map(processor_seconds, pids))
        assert is_refused(post(site.door, form)), attack.name
        assert sum(map(processor_seconds, pids)) - began < 2, attack.name
    assert (sum(kibibytes(pid, "VmHWM") for pid in pids) - held) // 1024 < 300
    assert visitors() == 0


def test_a_response_with_six_hundred_groups_signs_in_and_one_of_the_most_that_is_taken_too(site: Site) -> None:
    for number in (600, 4_900):
        browser = site.browser()
        form = site.door.answer(browser.start(), groups=tuple(f"team-{n}" for n in range(number)))
        browser.sign_in(form)
        assert browser.is_signed_in()


def _pids(bridge: Bridge) -> list[int]:
    children = Path(f"/proc/{bridge.process.pid}/task/{bridge.process.pid}/children").read_text()
    return [int(pid) for pid in children.split()]


# -- Large and hostile XML ---------------------------------------------------------------------------

END = b"</saml:AttributeStatement>"
HOSTILE: dict[str, Callable[[bytes], bytes]] = {
    "attributes": lambda xml: xml.replace(END, b'<saml:Attribute Name="a"/>' * 15_000 + END),
    "audiences": lambda xml: xml.replace(b"<saml:Audience>", b"<saml:Audience>x</saml:Audience>" * 15_000, 1),
    "namespaces": lambda xml: xml.replace(b"<samlp:Response ", b"<samlp:Response " + _namespaces(15_000), 1),
    "depth": lambda xml: xml.replace(END, b"<a>" * 50_000 + b"</a>" * 50_000 + END),
    "line ends": lambda xml: xml.replace(b">Mei<", b">" + b"&#13;" * 140_000 + b"<"),
    "a long value": lambda xml: xml.replace(b">Mei<", b">" + b"M" * 700_000 + b"<"),
    "entities": lambda xml: b"<!DOCTYPE a [<!ENTITY b '" + b"c" * 1000 + b"'>]>" + xml,
    "NULs": lambda xml: xml.replace(b">Mei<", b">\x00<"),
    "a surrogate": lambda xml: xml.replace(b">Mei<", b">\xed\xa0\x80<"),
}


def _namespaces(number: int) -> bytes:
    return b" ".join(b'xmlns:n%d="urn:%d"' % (n, n) for n in range(number)) + b" "


@pytest.mark.parametrize("hostile", HOSTILE)
def test_hostile_xml_is_refused_in_time(site: Site, hostile: str) -> None:
    good = base64.b64decode(site.door.answer(site.browser().start())["SAMLResponse"])
    bad = HOSTILE[hostile](good)
    assert bad != good
    assert is_refused(post(site.door, {"SAMLResponse": base64.b64encode(bad).decode()}))
