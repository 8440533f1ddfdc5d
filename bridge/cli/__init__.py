"""The `bridge` command: what the operator does, a module a noun.

    bridge NOUN VERB ARGUMENT... [--option]...

Each command calls one flow and shows what came of it: plain text for people or, with `--json` anywhere, one JSON object
on stdout and nothing else. Exit status 0: done. 1: refused, one line on stderr (with `--json`, `{"error": {"code",
"message"}}` on stdout). 2: wrong usage or settings. Secrets come from stdin or a file, never from an argument.

- `terminal`   settings, time and output: what every command is made of
- `shown`      domain values as JSON and as text; `times`: times as they are typed; `previews`: `--dry-run` and `--seen`
- one module a noun: `workspace`, `connection`, `domain`, `scim_token`, `scim_client`, `scim_log`, `sign_in_log`,
  `api_token`, `resource`, `label`, `user_group`, `grant`, `mapping`, `access` (`access_backwards`: who may, what it
  gives), `directory`, `users`, `db` (with `backup` and `restore`), `as_code` (`export`, `plan`, `apply`), `serve`,
  `worker`, `doctor`, `demo`, `simulate`
- of `connection` also `connection_settings`, `connection_keys`; `connection_answers`: what each command says of one;
  `idp_metadata`: read from a file or an address
"""

from bridge.cli.main import main

__all__ = ["main"]
