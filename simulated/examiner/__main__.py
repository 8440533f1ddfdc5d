"""`python -m simulated.examiner`: reads a token, examines a server, prints the report.

Exit status 0: no fault. 1: faults. 2: wrong usage, a token that isn't taken, no SCIM server, or
nobody answers. 130: broken off.
"""

import argparse
import json
import secrets
import signal
import sys
from getpass import getpass
from types import FrameType
from typing import cast
from urllib.parse import urlsplit

from simulated.dialects.scim_client import Exchange, ScimClient, ScimUnreachable, ScimUntrusted
from simulated.dialects.speaking import DialectName, connect
from simulated.examiner.careful_client import CarefulClient
from simulated.examiner.examination import Examination
from simulated.examiner.findings import Report
from simulated.examiner.life_cycle import play
from simulated.examiner.people_steps import NoScimServer, NothingToExamine, TokenRefused
from simulated.examiner.way_there import WayThere, read_way

FAULTLESS, FAULTY, WRONG_USAGE, BROKEN_OFF = 0, 1, 2, 130
_WHOLE_ANSWER = 4_000_000


def main() -> int:
    """Examines; returns the exit status."""
    options = _parse_options()
    signal.signal(signal.SIGTERM, _break_off)
    try:
        way = read_way(which_dialect(options.idp, options.app), options.scim_url, options.ca_file)
        exam = begin_at(way, _read_token(), quiet=not sys.stderr.isatty())
    except ValueError as error:
        return _refuse(options.json, "usage", str(error))
    except KeyboardInterrupt:
        return BROKEN_OFF
    try:
        play(exam, secrets.token_hex(4), options.users, options.groups)
    except (ScimUnreachable, NothingToExamine) as error:
        if len(exam.steps) == 1:
            exam.on_start("")
            return _refuse(options.json, *tell_reason(error, way))
        return _report(exam, options, WRONG_USAGE)
    except KeyboardInterrupt:
        return _report(exam, options, BROKEN_OFF)
    return _report(exam, options, FAULTY if exam.faults else FAULTLESS)


def begin(name: DialectName, url: str, token: str, *, quiet: bool = True) -> Examination:
    """`begin_at` an address that needs no more than itself."""
    return begin_at(WayThere(name, url), token, quiet=quiet)


def begin_at(way: WayThere, token: str, *, quiet: bool = True) -> Examination:
    """An examination that is ready to be played; it tells of each step on stderr unless it is to be quiet."""
    heard: list[Examination] = []

    def hear(exchange: Exchange) -> None:
        heard[0].hear(exchange)

    def make_client(*arguments: object, **settings: object) -> ScimClient:
        return CarefulClient(*arguments, **settings, shown=_WHOLE_ANSWER, ca_file=way.ca_file, proxies=way.proxies)

    dialect = connect(way.dialect, way.url, token, hear, make_client)
    heard.append(
        Examination(dialect, cast(CarefulClient, dialect.client), lambda title: None if quiet else _tell(title))
    )
    return heard[0]


def _report(exam: Examination, options: argparse.Namespace, status: int) -> int:
    exam.on_start("")
    report = Report(options.idp, exam.calls, exam.steps, exam.faults)
    print(json.dumps(report.render_json(), ensure_ascii=False) if options.json else report.render_text(), flush=True)
    return status


def _parse_options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="simulate", description="Plays an IdP's provisioning against a SCIM server.")
    parser.add_argument("idp", choices=["okta", "entra", "onelogin"])
    parser.add_argument("--app", choices=["catalog", "wizard"], help="okta: where its app is from; catalog otherwise")
    parser.add_argument("--scim-url", required=True, help="the server's base address, such as https://…/scim/v2")
    parser.add_argument("--token-stdin", action="store_true", required=True, help="read the bearer token from stdin")
    parser.add_argument("--ca-file", help="a PEM file of the CA that the server's certificate is from")
    parser.add_argument("--users", type=int, default=5, help="how many people to make, 3 at least")
    parser.add_argument("--groups", type=int, default=2, help="how many groups to make")
    parser.add_argument("--json", action="store_true", help="print one JSON object and nothing else")
    return parser.parse_args()


def which_dialect(idp: str, app: str | None) -> DialectName:
    """Raises ValueError where a vendor has no such app."""
    if app and idp != "okta":
        raise ValueError("--app is for okta: the others have one kind of app.")
    return "okta-wizard" if app == "wizard" else cast(DialectName, idp)


def tell_reason(error: Exception, way: WayThere) -> tuple[str, str]:
    """Why nothing was examined: a code, and a sentence with what to do."""
    if isinstance(error, TokenRefused):
        return "refused", str(error)
    if isinstance(error, NoScimServer):
        return "no_scim_server", f"{error} --scim-url is the server's base address, such as https://…/scim/v2."
    if isinstance(error, ScimUntrusted) and way.ca_file is None:
        return "unreachable", f"{error} If it is from a CA of your own, name that CA's file with --ca-file."
    if way.proxies:
        proxy = urlsplit(way.proxies.get(urlsplit(way.url).scheme, "")).hostname
        return "unreachable", f"{error} It was asked through the proxy {proxy}, which this machine's environment names."
    return "unreachable", str(error)


def _read_token() -> str:
    """The first line of stdin, or what is typed unseen. Raises ValueError where there is none."""
    typed = getpass("The server's bearer token, which isn't shown: ") if sys.stdin.isatty() else sys.stdin.readline()
    token = typed.strip()
    if not token:
        raise ValueError("There is no token on stdin.")
    if not (token.isascii() and token.isprintable()):
        raise ValueError("The token on stdin has characters that no header can hold.")
    return token


def _refuse(is_json: bool, code: str, message: str) -> int:
    if is_json:
        print(json.dumps({"error": {"code": code, "message": message}}, ensure_ascii=False))
    else:
        print(message, file=sys.stderr)
    return WRONG_USAGE


def _tell(title: str) -> None:
    """One line that is written over."""
    print(f"\r\x1b[2K{title}", end=" …" if title else "", file=sys.stderr, flush=True)


def _break_off(_number: int, _frame: FrameType | None) -> None:
    raise KeyboardInterrupt


if __name__ == "__main__":
    sys.exit(main())
