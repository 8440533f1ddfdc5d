"""Runs pytest again and again, each time in a fork of one process that has imported what isn't ours.

    python -m tests.properties.warm

reads lines of JSON: first the names of modules to import, then for each run `{"arguments": [...], "said": FILE}`. It
answers each run with its exit status, when FILE has what pytest said. The house is imported by each run anew, with what
a plugin has taken out of it; third parties alone take longer to import than most tests of a guard run.
"""

import json
import os
import sys
from contextlib import suppress
from importlib import import_module

import pytest


def main() -> None:
    """Until stdin ends."""
    for name in json.loads(sys.stdin.readline()):
        with suppress(ImportError):  # some stand in sys.modules under a name that can't be imported
            import_module(name)
    for line in sys.stdin:
        asked = json.loads(line)
        child = os.fork()
        if child == 0:
            _become_pytest(asked["arguments"], asked["said"])
        _, status = os.waitpid(child, 0)
        print(os.waitstatus_to_exitcode(status), flush=True)


def _become_pytest(arguments: list[str], said: str) -> None:
    """Never returns: this is the child."""
    status = 1
    try:
        output = os.open(said, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
        for stream in (1, 2):
            os.dup2(output, stream)
        status = int(pytest.main(arguments))
        sys.stdout.flush()
    finally:
        os._exit(status)


if __name__ == "__main__":
    main()
