"""A long run against `saml.response.validate`, looking for what no list of attacks has.

    python -m tests.saml.fuzz [--seconds 600] [--seed N] [--findings FOLDER] [--atheris CORPUS]

It takes the good responses and the attack corpus, and mutates them: octets exchanged, elements moved, copied, dropped,
renamed, wrapped or taken from another message, attributes exchanged. What comes out is sent as it is, or signed by the
IdP, or encrypted by a stranger for us. Whatever arrives, each must hold:

- `validate` gives an `Assertion` or a `Refused`, and nothing else
- unless the IdP itself signed it, an `Assertion` names Mei with her groups, as the only response that was signed did
- two seconds of CPU are enough, and the process doesn't grow

Where `atheris` is installed (`pip install atheris`, in an environment beside ours: it isn't locked), `--atheris` has it
choose by coverage what to mutate next, with the same mutations. Each finding is written to a file that names it.
"""

import argparse
import hashlib
import random
import resource
import sys
import time
from collections import Counter
from collections.abc import Callable
from contextlib import suppress
from importlib import import_module
from pathlib import Path
from typing import Any

from lxml import etree

from saml.assertion import Assertion
from saml.errors import Refused
from saml.response import validate
from tests.costs import bounded
from tests.saml.corpus import ATTACKS
from tests.saml.idp import BRIDGE, KICKS, NOW, NS, answer, assertion_of, encrypt, post, reparsed, respond, sign, without

SECONDS = 2.0
LARGEST = 700_000
MEGABYTES = 200  # that a run may grow by
WAYS = ("as it is", "signed by the IdP", "encrypted by a stranger")

Octets = bytes
FRAGMENTS = (
    *(
        b"<",
        b">",
        b'"',
        b"'",
        b"&",
        b"&#0;",
        b"&#13;",
        b"&lt;",
        b"&x;",
        b"<!--",
        b"-->",
        b"<!-- -->",
        b"<![CDATA[",
        b"]]>",
    ),
    *(
        b"<?x?>",
        b"<?xml version='1.1'?>",
        b"<!DOCTYPE a>",
        b"\x00",
        b"\xff",
        b"\xef\xbb\xbf",
        b"\xed\xa0\x80",
        b"\xc2\x85",
    ),
    *(
        b" xmlns:a='urn:a'",
        b" xmlns=''",
        b" xmlns:a='1'",
        b" ID='_x'",
        b" xml:id='_x'",
        b" xmlns:ds='urn:x'",
        b"9" * 400,
    ),
    *(b" xsi:type='x'", b"mallory@evil.example", b"\xe2\x80\xae", b"\xf0\x9f\x9a\xb2", b"", b" ", b"\n"),
)


def seeds() -> list[Octets]:
    """Good responses in every way of signing and encrypting, and the attacks that aren't large."""
    kinds = (("assertion", None), ("response", None), ("both", None), ("assertion", "AES256"), ("both", "AES128_GCM"))
    good = [etree.tostring(respond(KICKS, answer(), signed=signed, encrypted=encrypted)) for signed, encrypted in kinds]
    bad = [octets for one in ATTACKS if not one.wild and len(octets := one.octets()) < 40_000]
    return good * 10 + bad


# -- Mutations -------------------------------------------------------------------------------------------------------


def mutate(octets: Octets, others: list[Octets], chance: random.Random) -> Octets:
    """One message changed in one to four places."""
    for _ in range(chance.choice((1, 1, 2, 4))):
        change = chance.choice((_octets, _tree, _tree, _tree, _attribute, _attribute, _text))
        with suppress(etree.LxmlError, ValueError, TypeError, IndexError):
            octets = change(octets, others, chance)
    return octets[:LARGEST]


def _octets(octets: Octets, others: list[Octets], chance: random.Random) -> Octets:
    start = chance.randrange(len(octets) + 1)
    end = min(len(octets), start + chance.choice((0, 0, 1, 2, 20, 400)))
    other = chance.choice(others)
    at = chance.randrange(len(other) + 1)
    new = chance.choice((chance.choice(FRAGMENTS), chance.choice(FRAGMENTS), other[at : at + 40], chance.randbytes(2)))
    return octets[:start] + new + octets[end:]


def _elements(root: Any) -> list[Any]:
    return [one for one in root.iter() if isinstance(one.tag, str)]


def _tree(octets: Octets, others: list[Octets], chance: random.Random) -> Octets:
    root = etree.fromstring(octets)
    source = root if chance.random() < 0.7 else etree.fromstring(chance.choice(others))
    chosen, target = chance.choice(_elements(source)), chance.choice(_elements(root))
    copied = etree.fromstring(etree.tostring(chosen, with_tail=False))
    what = chance.choice(("copy", "move", "drop", "rename", "wrap"))
    parent = chosen.getparent()
    if what in ("move", "drop", "wrap") and parent is not None:
        place = parent.index(chosen)
        parent.remove(chosen)
        if what == "wrap":
            around = etree.SubElement(parent, chance.choice(_elements(root)).tag)
            parent.insert(place, around)
            around.append(copied)
    if what == "rename":
        target.tag = chance.choice(_elements(source)).tag
    elif what in ("copy", "move"):
        target.insert(chance.randrange(4), copied)
    return etree.tostring(root)


def _attribute(octets: Octets, others: list[Octets], chance: random.Random) -> Octets:
    root = etree.fromstring(octets)
    element = chance.choice(_elements(root))
    there = [one for one in _elements(root) if one.attrib]
    name, value = chance.choice(list(chance.choice(there).attrib.items()))
    what = chance.choice(("set", "set", "spoil", "drop", "elsewhere"))
    if what == "drop":
        element = chance.choice(there)
        element.attrib.pop(chance.choice(list(element.attrib)))
    elif what == "spoil":
        element.set(
            name, chance.choice(("", "#", " ", "x" * 5000, "2026-02-30T00:00:00Z", "9999-12-31T23:59:59Z", "0"))
        )
    elif what == "elsewhere":
        element.set(f"{{{chance.choice(list(NS.values()))}}}{etree.QName(name).localname}", value)
    else:
        element.set(name, value)
    return etree.tostring(root)


def _text(octets: Octets, others: list[Octets], chance: random.Random) -> Octets:
    root = etree.fromstring(octets)
    said = [one for one in _elements(root) if (one.text or "").strip()]
    element = chance.choice(said)
    new = chance.choice(
        (chance.choice(said).text, "", " ", "mallory@evil.example", "\u202e", "x" * 2000, "<&>", "\u0130")
    )
    element.text = chance.choice((new, element.text + new, element.text[: len(element.text) // 2]))
    if chance.random() < 0.2:
        element.insert(0, etree.Comment("c"))
    return etree.tostring(root)


# -- What must hold --------------------------------------------------------------------------------------------------


def deliver(octets: Octets, way: str) -> str:
    """What `validate` says of it: a class of `Refused`, or "accepted". Fails where anything doesn't hold."""
    form = post(octets)
    if way != "as it is":
        with suppress(Exception):  # then as it is
            form = post(_by(octets, way))
    told = bounded(lambda: _told(form), SECONDS)
    if isinstance(told, Refused):
        return type(told).__name__
    if way != "signed by the IdP":
        named = (told.name_id, told.attributes["email"], told.attributes["groups"])
        assert named == ("mei@kicks.example", ("mei@kicks.example",), ("eng", "eng-mobile")), named
    return "accepted"


def _told(form: dict[str, str]) -> Assertion | Refused:
    try:
        return validate(form, KICKS.trusted, BRIDGE, NOW, allow_unsolicited=True)
    except Refused as refusal:
        return refusal


def _by(octets: Octets, way: str) -> etree._Element:
    root = without(etree.fromstring(octets), "//ds:Signature")
    if way == "signed by the IdP":
        assertion = root.find("saml:Assertion", NS)
        sign(root if assertion is None else assertion, KICKS.key)
        return reparsed(root)
    root = etree.fromstring(octets)
    encrypt(root, BRIDGE, "AES256", octets=etree.tostring(assertion_of(root), with_tail=False))
    return reparsed(root)


class Findings:
    """What didn't hold, each once, as a file that begins with why."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self.seen: set[str] = set()

    def keep(self, octets: Octets, way: str, why: BaseException) -> None:
        """Write it down, unless the same fault is there already."""
        where = why.__traceback__
        while where is not None and where.tb_next is not None:
            where = where.tb_next
        line = "" if where is None else f"{where.tb_frame.f_code.co_filename}:{where.tb_lineno}"
        fault = f"{type(why).__name__} at {line}: {way}"
        if fault in self.seen:
            return
        self.seen.add(fault)
        self._folder.mkdir(parents=True, exist_ok=True)
        name = hashlib.sha256(octets).hexdigest()[:16]
        (self._folder / f"{name}.txt").write_bytes(f"{fault}\n{why}\n".encode() + octets)
        print(f"FOUND {fault}: {str(why)[:200]} -> {name}.txt", flush=True)


# -- The two drivers -------------------------------------------------------------------------------------------------


def plainly(seconds: float, chance: random.Random, findings: Findings) -> Counter[str]:
    """Mutations of seeds, and of mutations that gave an answer never seen before."""
    known, said, seen = seeds(), Counter[str](), set[str]()
    began, grown = time.monotonic(), megabytes()
    while time.monotonic() - began < seconds:
        octets, way = mutate(chance.choice(known), known, chance), chance.choice(WAYS)
        try:
            told = deliver(octets, way)
        except Exception as why:  # whatever it is, it is the finding
            findings.keep(octets, way, why)
            continue
        said[told] += 1
        if (kind := f"{way}: {told} {len(octets) // 2000}") not in seen:
            seen.add(kind)
            known.append(octets)
    assert megabytes() - grown < MEGABYTES, f"grew by {megabytes() - grown} MB"
    return said


def by_coverage(corpus: Path, seconds: int, chance: random.Random, findings: Findings) -> None:
    """The same under atheris, which keeps in `corpus` what reached a new place of `saml`. Never returns."""
    atheris = import_module("atheris")  # only who asks for it has it
    known = seeds()
    corpus.mkdir(parents=True, exist_ok=True)
    for number, octets in enumerate(known):
        (corpus / f"seed{number}").write_bytes(bytes([number % len(WAYS)]) + octets)

    def one(given: bytes) -> None:
        way = WAYS[given[0] % len(WAYS)] if given else WAYS[0]
        try:
            deliver(given[1:], way)
        except Exception as why:
            findings.keep(given[1:], way, why)

    def mutator(given: bytes, size: int, seed: int) -> bytes:
        own = random.Random(seed)
        if not given or own.random() < 0.2:
            return bytes(atheris.Mutate(given, len(given) + 1))[:size]
        way = given[0] if own.random() < 0.7 else own.randrange(len(WAYS))
        return (bytes([way]) + mutate(given[1:], known, own))[:size]

    for name in [name for name in sys.modules if name == "saml" or name.startswith("saml.")]:
        _instrument(atheris.instrument_func, sys.modules[name])
    limits = [f"-max_total_time={seconds}", f"-max_len={LARGEST}", "-timeout=10", "-rss_limit_mb=1500"]
    chosen = [sys.argv[0], *limits, f"-seed={chance.randrange(2**31)}", str(corpus)]
    atheris.Setup(chosen, one, custom_mutator=mutator)
    atheris.Fuzz()


def _instrument(instrument: Callable[[Any], Any], module: Any) -> None:
    for name, found in vars(module).items():
        if callable(found) and getattr(found, "__module__", "") == module.__name__ and hasattr(found, "__code__"):
            found.__code__ = instrument(found).__code__
            assert name


def megabytes() -> int:
    """The most that this process ever held."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024


def main() -> int:
    """Run as told; the exit status is 1 where something was found."""
    parser = argparse.ArgumentParser(prog="python -m tests.saml.fuzz", description=__doc__.split("\n")[0])
    parser.add_argument("--seconds", type=int, default=600)
    parser.add_argument("--seed", type=int, default=None)
    parser.add_argument("--findings", type=Path, default=Path("saml-findings"))
    parser.add_argument("--atheris", type=Path, metavar="CORPUS", help="choose by coverage; its corpus is kept there")
    chosen = parser.parse_args()
    seed = chosen.seed if chosen.seed is not None else random.SystemRandom().randrange(2**31)
    chance, findings = random.Random(seed), Findings(chosen.findings)
    print(f"seed {seed}", flush=True)
    if chosen.atheris:
        by_coverage(chosen.atheris, chosen.seconds, chance, findings)
    said = plainly(chosen.seconds, chance, findings)
    for kind, number in said.most_common():
        print(f"{number:8} {kind}")
    print(f"{said.total()} messages, {len(findings.seen)} findings, {megabytes()} MB at most")
    return 1 if findings.seen else 0


if __name__ == "__main__":
    sys.exit(main())
