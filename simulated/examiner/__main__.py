"""`python -m simulated.examiner`: reads a token, examines a server, prints the report.

Exit status 0: no fault. 1: faults. 2: wrong usage, a token that isn't taken, or nobody answers. 130: broken off.
"""

import argparse
import json
import secrets
import signal
import sys
from types import FrameType
from typing import cast
from urllib.parse import urlsplit

from simulated.dialects.entra import FLAG
from simulated.dialects.scim_client import Exchange, ScimClient, ScimUnreachable
from simulated.dialects.speaking import DialectName, connect
from simulated.examiner.careful_client import CarefulClient
from simulated.examiner.examination import Examination
from simulated.examiner.findings import Report
from simulated.examiner.life_cycle import play
from simulated.examiner.people_steps import TokenRefused

FAULTLESS, FAULTY, WRONG_USAGE, BROKEN_OFF = 0, 1, 2, 130
_WHOLE_ANSWER = 4_000_000


def main() -> int:
    """Examines; returns the exit status."""
    options = _parse_options()
    signal.signal(signal.SIGTERM, _break_off)
    try:
        name, url = _read_address(options.idp, options.scim_url)
        exam = begin(name, url, _read_token(), quiet=not sys.stderr.isatty())
    except ValueError as error:
        return _refuse(options.json, "usage", str(error))
    try:
        play(exam, secrets.token_hex(4), options.users, options.groups)
    except (ScimUnreachable, TokenRefused) as error:
        if len(exam.steps) == 1:
            return _refuse(options.json, "refused" if isinstance(error, TokenRefused) else "unreachable", str(error))
        return _report(exam, options, WRONG_USAGE)
    except KeyboardInterrupt:
        return _report(exam, options, BROKEN_OFF)
    return _report(exam, options, FAULTY if exam.faults else FAULTLESS)


def begin(name: DialectName, url: str, token: str, *, quiet: bool = True) -> Examination:
    """An examination that is ready to be played; it tells of each step on stderr unless it is to be quiet."""
    heard: list[Examination] = []

    def hear(exchange: Exchange) -> None:
        heard[0].hear(exchange)

    def make_client(*arguments: object, **settings: object) -> ScimClient:
        return CarefulClient(*arguments, **settings, shown=_WHOLE_ANSWER)

    dialect = connect(name, url, token, hear, make_client)
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
    parser.add_argument("--scim-url", required=True, help="the server's base address, such as https://…/scim/v2")
    parser.add_argument("--token-stdin", action="store_true", required=True, help="read the bearer token from stdin")
    parser.add_argument("--users", type=int, default=5, help="how many people to make, 3 at least")
    parser.add_argument("--groups", type=int, default=2, help="how many groups to make")
    parser.add_argument("--json", action="store_true", help="print one JSON object and nothing else")
    return parser.parse_args()


def _read_address(idp: str, scim_url: str) -> tuple[DialectName, str]:
    """The dialect and the address without its query, where Entra's flag may sit. Raises ValueError."""
    parts = urlsplit(scim_url)
    if parts.scheme not in ("http", "https") or not parts.hostname:
        raise ValueError(f"{scim_url} isn't an http or https address.")
    address = scim_url.partition("?")[0]
    if idp == "entra" and f"?{parts.query}" == FLAG:
        return "entra-compliant", address
    if parts.query or parts.fragment:
        raise ValueError(f"A base address has no query, but for Entra's {FLAG}.")
    return cast(DialectName, idp), address


def _read_token() -> str:
    """The first line of stdin. Raises ValueError where there is none."""
    token = sys.stdin.readline().strip()
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
