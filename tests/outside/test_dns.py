"""TXT records, asked of a real name server that says what a test has it say."""

import socketserver
import threading
import time
from collections.abc import Callable, Iterator

import dns.flags
import dns.message
import dns.rcode
import dns.resolver
import dns.rrset
import pytest

from bridge.outside.dns import LookUpFailed, NoTexts, find_texts

NAME = "_bridge-challenge.kicks.example"
Say = Callable[[dns.message.Message], dns.message.Message | None]


class NameServer(socketserver.ThreadingUDPServer):
    """A name server on a port of its own; `say` makes its answers."""

    daemon_threads = True
    block_on_close = False

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Question)
        self.say: Say = lambda asked: answer(asked)
        self.seen: list[str] = []

    def resolver(self) -> dns.resolver.Resolver:
        made = dns.resolver.Resolver(configure=False)
        made.nameservers, made.port = ["127.0.0.1"], self.server_address[1]
        return made


class _Question(socketserver.BaseRequestHandler):
    server: NameServer

    def handle(self) -> None:
        wire, reply_to = self.request
        asked = dns.message.from_wire(wire)
        self.server.seen.append(asked.question[0].name.to_text())
        said = self.server.say(asked)
        if said is not None:
            reply_to.sendto(said.to_wire(), self.client_address)


def answer(asked: dns.message.Message, *records: str, rcode: int = dns.rcode.NOERROR) -> dns.message.Message:
    """`records` as a zone file has them: `NAME TTL IN TXT "text"`."""
    said = dns.message.make_response(asked)
    said.flags |= dns.flags.RA
    said.set_rcode(dns.rcode.Rcode(rcode))
    for record in records:
        name, ttl, _, kind, data = record.split(" ", 4)
        said.answer.append(dns.rrset.from_text(name, int(ttl), "IN", kind, data))
    return said


@pytest.fixture
def server() -> Iterator[NameServer]:
    with NameServer() as made:
        thread = threading.Thread(target=made.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        yield made
        made.shutdown()
        thread.join()


def look(server: NameServer, name: str = NAME, seconds: float = 2.0) -> tuple[str, ...]:
    return find_texts(name, resolver=server.resolver(), seconds=seconds)


def test_every_record_of_the_name_is_given(server: NameServer) -> None:
    server.say = lambda asked: answer(asked, f'{NAME}. 60 IN TXT "one"', f'{NAME}. 60 IN TXT "two words"')
    assert set(look(server)) == {"one", "two words"}
    assert server.seen == [f"{NAME}."]


def test_the_strings_of_a_record_are_joined(server: NameServer) -> None:
    server.say = lambda asked: answer(asked, f'{NAME}. 60 IN TXT "half of a to" "ken"')
    assert look(server) == ("half of a token",)


def test_a_cname_is_followed(server: NameServer) -> None:
    records = (f"{NAME}. 60 IN CNAME proofs.dns.example.", 'proofs.dns.example. 60 IN TXT "token"')
    server.say = lambda asked: answer(asked, *records)
    assert look(server) == ("token",)


def test_a_cname_that_leads_nowhere_is_no_record(server: NameServer) -> None:
    server.say = lambda asked: answer(asked, f"{NAME}. 60 IN CNAME proofs.dns.example.")
    with pytest.raises(NoTexts, match="has no TXT record"):
        look(server)


def test_bytes_that_are_no_text_do_no_harm(server: NameServer) -> None:
    server.say = lambda asked: answer(asked, f'{NAME}. 60 IN TXT "\\255\\000x"')
    assert look(server) == ("\ufffd\x00x",)


def test_no_such_name_no_record_an_error_and_silence_are_told_apart(server: NameServer) -> None:
    server.say = lambda asked: answer(asked, rcode=dns.rcode.NXDOMAIN)
    with pytest.raises(NoTexts, match="There is no name _bridge-challenge"):
        look(server)
    server.say = answer
    with pytest.raises(NoTexts, match="has no TXT record"):
        look(server)
    server.say = lambda asked: answer(asked, rcode=dns.rcode.SERVFAIL)
    with pytest.raises(LookUpFailed, match="answered with an error"):
        look(server)
    server.say = lambda asked: None
    with pytest.raises(LookUpFailed, match=r"didn’t answer within 0\.3 seconds"):
        look(server, seconds=0.3)


def test_the_time_limit_is_for_all_of_it(server: NameServer) -> None:
    def slowly(asked: dns.message.Message) -> None:
        time.sleep(5)

    server.say = slowly
    started = time.monotonic()
    with pytest.raises(LookUpFailed):
        look(server, seconds=0.3)
    assert time.monotonic() - started < 4


def test_an_answer_about_another_name_is_not_taken(server: NameServer) -> None:
    server.say = lambda asked: answer(asked, 'other.example. 60 IN TXT "token"')
    with pytest.raises(NoTexts):
        look(server)


@pytest.mark.parametrize("name", [".".join(["k" * 60] * 5), f"{'k' * 64}.example", "a..example", "\ud800.example"])
def test_what_is_no_name_is_not_asked(server: NameServer, name: str) -> None:
    with pytest.raises(LookUpFailed, match="can’t be looked up"):
        look(server, name)
    assert server.seen == []
