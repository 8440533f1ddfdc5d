"""`bridge connection refresh-metadata`: an IdP's metadata, read again at once."""

from datetime import UTC, datetime

from tests.cli.conftest import Shell
from tests.flows.idp_server import ENTITY, certificate, idp_server, metadata

AGES = datetime(2099, 1, 1, tzinfo=UTC)


def made_from(kicks: Shell, url: str) -> str:
    """The id of a connection whose metadata stands there."""
    made: str = kicks.json("connection", "create", "kicks", "--kind", "saml", "--idp-metadata", url)["connection"]["id"]
    return made


def test_what_is_new_is_said_in_words(kicks: Shell) -> None:
    with idp_server() as idp:
        idp.body = metadata([certificate("one", AGES)])
        made = made_from(kicks, idp.url)
        again = ("connection", "refresh-metadata", "kicks", made)
        assert kicks.json(*again)["changes"] == []
        assert kicks.run(*again).out.startswith("SAML: nothing has changed.\n")
        idp.body = metadata([certificate("two", AGES)])
        answer = kicks.json(*again)
        assert answer["connection"]["id"] == made
        assert ["no longer" in change for change in answer["changes"]] == [False, True]


def test_what_is_bad_is_refused_with_the_reason(kicks: Shell) -> None:
    with idp_server() as idp:
        idp.body = metadata([certificate("one", AGES)])
        made = made_from(kicks, idp.url)
        idp.body = metadata([certificate("one", AGES)], entity_id=f"{ENTITY}/2")
        ran = kicks.run("connection", "refresh-metadata", "kicks", made)
        assert (ran.status, ran.out) == (1, "")
        assert ran.err.startswith(f"The metadata doesn't describe “{ENTITY}” once")
