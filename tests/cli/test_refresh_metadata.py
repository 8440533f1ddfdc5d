"""`bridge connection refresh-metadata`: an IdP's metadata, read again at once."""

from datetime import UTC, datetime
from pathlib import Path

from tests.cli.conftest import Shell
from tests.flows.idp_server import ENTITY, certificate, idp_server, metadata
from tests.saml.idp import keys

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


def test_metadata_is_held_to_a_certificate(kicks: Shell, tmp_path: Path) -> None:
    file = tmp_path / "federation.pem"
    file.write_text(keys("federation").certificate)
    with idp_server() as idp:
        idp.body = metadata([certificate("one", AGES)])
        made = made_from(kicks, idp.url)
        shown = kicks.json("connection", "set", "kicks", made, "--metadata-certificate", str(file))["connection"]
        assert [one["subject"] for one in shown["idp"]["metadata_certificates"]] == ["CN=federation"]
        ran = kicks.run("connection", "refresh-metadata", "kicks", made)
        assert (ran.status, "isn't signed" in ran.err) == (1, True)
        named = ("connection", "create", "kicks", "--kind", "saml", "--name", "Two", "--idp-metadata", idp.url)
        assert kicks.run(*named, "--metadata-certificate", str(file)).status == 1
        assert kicks.run(*named, "--metadata-certificate", str(tmp_path / "none")).status == 2
        shown = kicks.json("connection", "set", "kicks", made, "--metadata-certificate", "")["connection"]
        assert shown["idp"]["metadata_certificates"] == []
        assert kicks.run("connection", "refresh-metadata", "kicks", made).status == 0
