"""SimpleSAMLphp, as Debian packages it, as a company's IdP: its configuration written, and PHP's own server before it.

    with running_simplesamlphp(folder) as idp:
        idp.knows(metadata of a service provider)
        idp.configure(**{"nameid.encryption": True})

Everything it writes is in `folder`. Its people are `PEOPLE`; whoever has their names signs in with `PASSWORD`.
"""

import os
import shutil
import subprocess
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import requests

from tests.conftest import SIMPLESAMLPHP
from tests.running import free_port
from tests.saml.idp import keys

PASSWORD = "on the wall"
#: Their names there, with their groups.
PEOPLE: Mapping[str, tuple[str, ...]] = {
    "mei": ("eng", "R&D <core>"),
    "ines": ("ops",),
    "lars": (),
}
_SECONDS_TO_START = 30
_MAIL = "urn:oasis:names:tc:SAML:1.1:nameid-format:emailAddress"


@dataclass(frozen=True, slots=True)
class SimpleSamlPhp:
    """One that runs at `url`, with its configuration in `folder`."""

    url: str
    folder: Path

    @property
    def metadata_url(self) -> str:
        """Where it describes itself; its entity ID, too."""
        return f"{self.url}/saml2/idp/metadata.php"

    def knows(self, metadata: str) -> None:
        """From now on it answers this service provider, and what that says in its metadata."""
        (self.folder / "sp.xml").write_text(metadata)

    def configure(self, **options: Any) -> None:
        """How it answers, beside what always holds; by the names of its own manual, and nothing else from before."""
        hosted = {
            "host": "__DEFAULT__",
            "privatekey": "idp.key",
            "certificate": "idp.crt",
            "auth": "people",
            "sign.logout": True,
            "validate.logout": True,
            "redirect.sign": True,
            "redirect.validate": True,
            "authproc": {3: {"class": "saml:AttributeNameID", "attribute": "mail", "Format": _MAIL}},
        }
        written = {"__DYNAMIC:1__": hosted | options}
        _write(self.folder / "metadata" / "saml20-idp-hosted.php", "metadata", written)


@contextmanager
def running_simplesamlphp(folder: Path) -> Iterator[SimpleSamlPhp]:
    """It runs for the length of a block."""
    port = free_port()
    idp = SimpleSamlPhp(f"http://127.0.0.1:{port}/simplesaml", folder)
    _prepare(idp)
    php = shutil.which("php")
    assert php is not None
    with (folder / "php.log").open("wb") as log:
        settings = ("-d", "display_errors=0", "-d", "opcache.revalidate_freq=0")
        process = subprocess.Popen(
            [php, *settings, "-S", f"127.0.0.1:{port}", "-t", str(folder / "www")],
            env={"PATH": os.environ["PATH"], "SIMPLESAMLPHP_CONFIG_DIR": str(folder / "config")},
            stdout=log,
            stderr=log,
        )
    try:
        _wait(idp, process)
        yield idp
    finally:
        process.terminate()
        process.wait(timeout=30)


def _prepare(idp: SimpleSamlPhp) -> None:
    folder, ours = idp.folder, keys("simplesamlphp")
    for name in ("config", "metadata", "cert", "log", "data", "tmp", "sessions", "www"):
        (folder / name).mkdir()
    (folder / "www" / "simplesaml").symlink_to(SIMPLESAMLPHP / "www")
    (folder / "cert" / "idp.key").write_text(ours.private)
    (folder / "cert" / "idp.crt").write_text(ours.certificate)
    _write(folder / "config" / "config.php", "config", _config(idp))
    people = {f"{name}:{PASSWORD}": _said_of(name, groups) for name, groups in PEOPLE.items()}
    _write(folder / "config" / "authsources.php", "config", {"people": {0: "exampleauth:UserPass", **people}})
    idp.knows('<md:EntitiesDescriptor xmlns:md="urn:oasis:names:tc:SAML:2.0:metadata"/>')
    idp.configure()


def _config(idp: SimpleSamlPhp) -> dict[str, Any]:
    folder = idp.folder
    return {
        "baseurlpath": f"{idp.url}/",
        "certdir": f"{folder}/cert/",
        "loggingdir": f"{folder}/log/",
        "datadir": f"{folder}/data/",
        "tempdir": f"{folder}/tmp",
        "metadatadir": f"{folder}/metadata",
        "metadata.sources": {0: {"type": "flatfile"}, 1: {"type": "xml", "file": f"{folder}/sp.xml"}},
        "secretsalt": "for tests",
        "auth.adminpassword": "for tests",
        "technicalcontact_email": "na@example.org",
        "timezone": "UTC",
        "logging.handler": "file",
        "enable.saml20-idp": True,
        "module.enable": {"exampleauth": True},
        "store.type": "phpsession",
        "session.cookie.secure": False,
        "session.phpsession.savepath": f"{folder}/sessions",
        "language.default": "en",
    }


def _said_of(name: str, groups: tuple[str, ...]) -> dict[str, Any]:
    said = {"uid": [name], "mail": [f"{name}@kicks.example"], "displayName": [f"{name.title()} Šrámková"]}
    return said | ({"groups": list(groups)} if groups else {})


def _write(path: Path, name: str, value: Mapping[Any, Any]) -> None:
    path.write_text(f"<?php\n${name} = {_php(value)};\n")


def _php(value: Any) -> str:
    """A value as PHP writes it."""
    if isinstance(value, Mapping):
        return "[" + ", ".join(f"{_php(key)} => {_php(each)}" for key, each in value.items()) + "]"
    if isinstance(value, list):
        return "[" + ", ".join(map(_php, value)) + "]"
    if isinstance(value, bool) or value is None:
        return str(value).lower() if value is not None else "null"
    if isinstance(value, int):
        return str(value)
    return "'" + str(value).replace("\\", "\\\\").replace("'", "\\'") + "'"


def _wait(idp: SimpleSamlPhp, process: "subprocess.Popen[bytes]") -> None:
    deadline = time.monotonic() + _SECONDS_TO_START
    while time.monotonic() < deadline:
        said = (idp.folder / "php.log").read_text()
        assert process.poll() is None, said
        try:
            answer = requests.get(idp.metadata_url, timeout=10)
        except requests.ConnectionError:
            time.sleep(0.05)
            continue
        assert answer.ok, f"{answer.text}\n{said}"
        return
    raise AssertionError("PHP didn't start")
