"""`python -m simulated.company_idp`: opens the state, listens on loopback, says where."""

import argparse
import json
import sys
from datetime import UTC, datetime
from pathlib import Path

from simulated.company_idp.app import create_app
from simulated.company_idp.company import open_company
from simulated.company_idp.errors import CompanyIdpError
from simulated.serving import HOST, listen, serve


def main() -> int:
    """Serves until interrupted. Exit status 1: the port is in use, or a file can't be used."""
    options = _parse_options()
    try:
        listener = listen(options.port)
    except OSError:
        print(f"Port {options.port} of {HOST} is in use. Choose another with --port.", file=sys.stderr)
        return 1
    url = f"http://{HOST}:{listener.getsockname()[1]}"
    try:
        company = open_company(options.state, url, lambda: datetime.now(UTC), options.story)
        if options.settings:
            company.change_settings(json.loads(options.settings.read_text(encoding="utf-8")))
    except (CompanyIdpError, OSError, ValueError, KeyError) as error:
        print(f"Can't start: {error}", file=sys.stderr)
        return 1
    try:
        announcement = f"Simulated company IdP of {company.settings.read().company}: {url}"
        serve(create_app(company), listener, announcement)
    finally:
        company.close()
    return 0


def _parse_options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m simulated.company_idp", description="A company's IdP, simulated.")
    parser.add_argument("--port", type=int, default=8001, help="port of 127.0.0.1 to listen on; 0 takes a free one")
    parser.add_argument("--state", type=Path, required=True, help="folder for its database and its key")
    parser.add_argument("--story", type=Path, help="file with the company's people and groups, read at the first start")
    parser.add_argument("--settings", type=Path, help="JSON file with settings, as PUT /api/settings takes them")
    return parser.parse_args()


if __name__ == "__main__":
    sys.exit(main())
