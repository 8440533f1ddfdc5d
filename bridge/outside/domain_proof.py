"""Looking for the proof of a domain: a TXT record first, then a tag on the site's root page (product.md 2.4).

The page is fetched from the open Internet only, whatever the operator allows elsewhere: what a private network answers
by a public name proves nothing, and its answers are nobody else's to read. By https; by http only where no https
answers. A redirect is followed inside the domain alone.
"""

from collections.abc import Callable
from dataclasses import dataclass

from lxml import etree

from bridge.domain.domains import META_NAME, RECORD_LABEL, Looked, Proof, texts_prove
from bridge.outside.dns import FindTexts, LookUpFailed, NoTexts, find_texts
from bridge.outside.web import FetchFailed, WrongAnswer, fetch

_SECONDS = 5.0
_MOST_BYTES = 2 * 2**20

#: A URL and the domain that redirects may not leave, to the bytes of its page. Raises FetchFailed.
FetchPage = Callable[[str, str], bytes]


def fetch_page(url: str, domain: str) -> bytes:
    """A page of a site on the open Internet, at most 2 MiB, within 5 seconds. Raises FetchFailed."""
    return fetch(url, timeout=_SECONDS, max_bytes=_MOST_BYTES, allow_private=False, inside=domain)


@dataclass(frozen=True, slots=True)
class ProofFinder:
    """Looks for a proof with these two ways out."""

    texts: FindTexts = find_texts
    page: FetchPage = fetch_page

    def __call__(self, name: str, token: str) -> Looked:
        """Where the token is, if anywhere; else why not, of both ways. Never raises."""
        absent: set[Proof] = set()
        by_dns = self._by_dns(name, token, absent)
        if by_dns is None:
            return Looked("dns")
        by_page = self._by_page(name, token, absent)
        if by_page is None:
            return Looked("meta")
        return Looked(problem=f"{by_dns} {by_page}", absent=frozenset(absent))

    def _by_dns(self, name: str, token: str, absent: set[Proof]) -> str | None:
        record = f"{RECORD_LABEL}.{name}"
        try:
            texts = self.texts(record)
        except LookUpFailed as error:
            return str(error)
        except NoTexts as error:
            absent.add("dns")
            return str(error)
        if texts_prove(texts, token):
            return None
        absent.add("dns")
        return f"{record} has a TXT record, but none with this token."

    def _by_page(self, name: str, token: str, absent: set[Proof]) -> str | None:
        try:
            body = self._fetch(name)
        except FetchFailed as error:
            return f"And the site’s root page wasn’t read: {error}"
        contents = find_meta(body, META_NAME)
        if token in contents:
            return None
        absent.add("meta")
        return "And the site’s root page has no such tag in its head." if not contents else (
            "And the tag on the site’s root page has another token."
        )  # fmt: skip

    def _fetch(self, name: str) -> bytes:
        try:
            return self.page(f"https://{name}/", name)
        except WrongAnswer:
            raise  # the site speaks https, and this is what it says
        except FetchFailed as encrypted:
            try:
                return self.page(f"http://{name}/", name)
            except FetchFailed:
                raise encrypted from None


def find_meta(page: bytes, name: str) -> list[str]:
    """The `content` of each `<meta name>` that is a child of the page's head: not in its body, a comment, a script.

    Read by a parser of HTML, since browsers' rules say where the head ends: whoever may write into the page's body
    (a comment, a guest book) can't reach it.
    """
    parser = etree.HTMLParser(no_network=True, huge_tree=False, remove_comments=True, remove_pis=True)
    try:
        root = etree.fromstring(page, parser)
    except etree.XMLSyntaxError:
        return []
    tags = root.findall("./head/meta") if root is not None else []
    return [tag.get("content", "").strip() for tag in tags if tag.get("name", "").strip().lower() == name]
