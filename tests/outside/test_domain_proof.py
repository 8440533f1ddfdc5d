"""Where the proof of a domain counts, and where it doesn't (product.md 2.4)."""

from typing import TypeVar

import pytest

from bridge.domain.domains import META_NAME, Looked
from bridge.outside import web
from bridge.outside.dns import LookUpFailed, NoTexts
from bridge.outside.domain_proof import ProofFinder, fetch_page, find_meta
from bridge.outside.web import FetchFailed, WrongAnswer

TOKEN = "tHe-token_of_kicks"
TAG = f'<meta name="{META_NAME}" content="{TOKEN}">'
SITE = f"<!doctype html><html><head><title>Kicks</title>{TAG}</head><body>Shoes</body></html>".encode()


Said = TypeVar("Said")
_NO_NAME = NoTexts("No name.")


def say(said: Said | Exception) -> Said:
    """Answer it, or fail with it."""
    if isinstance(said, Exception):
        raise said
    return said


class Net:
    """What a domain's name server and site say; what was asked of them is in `asked`."""

    def __init__(self, texts: tuple[str, ...] | Exception = _NO_NAME, **pages: bytes | Exception) -> None:
        self.said, self.pages = texts, pages
        self.asked: list[str] = []

    def texts(self, name: str) -> tuple[str, ...]:
        self.asked.append(name)
        return say(self.said)

    def page(self, url: str, domain: str) -> bytes:
        self.asked.append(url)
        return say(self.pages.get(url.partition(":")[0], FetchFailed("Nobody answers.")))

    def look(self, name: str = "kicks.example", token: str = TOKEN) -> Looked:
        return ProofFinder(self.texts, self.page)(name, token)


# -- DNS ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize("texts", [(TOKEN,), ("v=spf1 -all", TOKEN), (f'"{TOKEN}"',), (f" {TOKEN} ",)])
def test_a_record_with_the_token_proves(texts: tuple[str, ...]) -> None:
    net = Net(texts)
    assert net.look() == Looked("dns")
    assert net.asked == ["_bridge-challenge.kicks.example"]


@pytest.mark.parametrize("texts", [(), ("",), (TOKEN.lower(),), (f"{TOKEN}x",), (f"bridge={TOKEN}",), (TOKEN[:-1],)])
def test_another_text_does_not(texts: tuple[str, ...]) -> None:
    looked = Net(texts).look()
    assert looked.found is None
    assert looked.absent == {"dns"}
    assert TOKEN not in str(looked.problem)


# -- The page ----------------------------------------------------------------------------------------


def test_a_tag_in_the_head_of_the_root_page_proves() -> None:
    net = Net(https=SITE)
    assert net.look() == Looked("meta")
    assert net.asked[1:] == ["https://kicks.example/"]


def test_http_only_where_no_https_answers() -> None:
    assert Net(http=SITE).look() == Looked("meta")
    answered = Net(https=WrongAnswer("It answered with status 404."), http=SITE)
    assert answered.look().found is None
    assert "http://kicks.example/" not in answered.asked


@pytest.mark.parametrize(
    "page",
    [
        f"<head></head><body>{TAG}</body>",
        f"<p>a comment of somebody's</p>{TAG}",
        f"<head></head><body><p>x</p><head>{TAG}</head></body>",
        f"<html><head></head><body></body></html><html><head>{TAG}</head></html>",
        f"<head><!-- {TAG} --></head>",
        f"<head><script>{TAG}</script></head>",
        f"<head><style>{TAG}</style></head>",
        f"<head><title>{TAG}</title></head>",
        f"<head><noscript>{TAG}</noscript></head>",
        f"<head><template>{TAG}</template></head>",
        f"<head><div>x</div>{TAG}</head>",
        f"<head><meta name='description' content='{TAG}'></head>",
        f"<head><script><!--<script></script>{TAG}--></script></head>",
        f"<body><textarea><head>{TAG}</head></textarea>",
        f"<body><svg><head>{TAG}</head></svg>",
        f"<body><iframe srcdoc='<head>{TAG}</head>'></iframe>",
        f"<head><![CDATA[{TAG}]]></head>",
        f"<head>{TAG.replace(TOKEN, TOKEN + 'x')}</head>",
        f"<head>{TAG.replace(META_NAME, 'other')}</head>",
        "<div>" * 100_000 + TAG,
        "",
        "\0\0\0",
        "<?xml version='1.0'?><!DOCTYPE html [<!ENTITY x SYSTEM 'file:///etc/hostname'>]><html><head><meta "
        f"name='{META_NAME}' content='&x;'></head></html>",
    ],
)
def test_anywhere_else_it_proves_nothing(page: str) -> None:
    looked = Net(https=page.encode()).look()
    assert looked.found is None
    assert looked.absent == {"dns", "meta"}


@pytest.mark.parametrize(
    "page",
    [
        f"<title>No head is written</title>{TAG}<p>x",
        f"<HTML><HEAD><META CONTENT=' {TOKEN} ' NAME='{META_NAME.upper()}'/></HEAD>",
        f"<head>{TAG.replace(TOKEN, 'of-another-service')}{TAG}</head>",
    ],
)
def test_a_head_is_what_browsers_take_for_one(page: str) -> None:
    assert Net(https=page.encode()).look().found == "meta"


def test_other_charsets_are_read() -> None:
    assert find_meta(f"\ufeff<head>{TAG}</head>".encode("utf-16-le"), META_NAME) == [TOKEN]


# -- What wasn't found, and what couldn't be asked ---------------------------------------------------


def test_both_ways_say_why() -> None:
    looked = Net(LookUpFailed("The name servers didn’t answer."), https=FetchFailed("Connection refused.")).look()
    assert looked.absent == frozenset()
    assert "didn’t answer" in str(looked.problem)
    assert "Connection refused" in str(looked.problem)


def test_a_redirect_does_not_leave_the_domain(monkeypatch: pytest.MonkeyPatch) -> None:
    seen: dict[str, object] = {}

    def fetch(url: str, **limits: object) -> bytes:
        seen.update(limits, url=url)
        return SITE

    monkeypatch.setattr("bridge.outside.domain_proof.fetch", fetch)
    assert fetch_page("https://kicks.example/", "kicks.example") == SITE
    assert seen["inside"] == "kicks.example"
    assert seen["allow_private"] is False


@pytest.mark.parametrize("address", ["127.0.0.1", "10.0.0.8", "169.254.169.254", "::1", "::ffff:10.0.0.8"])
def test_a_name_that_leads_into_a_private_network_is_not_read(address: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """DNS rebinding too: the address that was checked is the one that is connected to."""
    answers = iter([[address], [address]])
    defaults = {**(web.fetch.__kwdefaults__ or {}), "resolve": lambda *_: next(answers)}
    monkeypatch.setattr(web.fetch, "__kwdefaults__", defaults)
    with pytest.raises(FetchFailed, match="private network"):
        fetch_page("https://kicks.example/", "kicks.example")
    assert len(list(answers)) == 1
