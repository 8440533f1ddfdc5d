"""The SCIM client of an examination: it writes only to what was made in this examination.

A server whose filters don't work answers a look-up with somebody else, a real person perhaps, whom every vendor would
now overwrite. Here that is a fault, and nothing is sent.
"""

from collections.abc import Mapping
from typing import Any

from simulated.dialects.scim_client import Resource, ScimClient, ScimRefused


class NotOurs(Exception):
    """A change would have hit a person or group that this examination didn't make. `path`: whose."""

    def __init__(self, path: str) -> None:
        super().__init__(path)
        self.path = path


class CarefulClient(ScimClient):
    """`made`: what was made and not deleted yet, a name by its path (`Users/<id>`). `deleted`: what was.

    `lost`: what may have been made, without an answer that says under which id; a kind (`Users`) by its name.
    """

    def __init__(self, *arguments: Any, **options: Any) -> None:
        super().__init__(*arguments, **options)
        self.made: dict[str, str] = {}
        self.deleted: dict[str, str] = {}
        self.lost: dict[str, str] = {}

    def call(
        self, method: str, path: str, body: Resource | None = None, parameters: Mapping[str, str] | None = None
    ) -> Resource:
        """As ScimClient's. Raises NotOurs too."""
        if method == "POST":
            return self._make(path, body or {})
        if method in ("PUT", "PATCH", "DELETE") and path not in self.made:
            raise NotOurs(path)
        answer = super().call(method, path, body, parameters)
        if method == "DELETE":
            self.deleted[path] = self.made.pop(path)
        return answer

    def _make(self, path: str, body: Resource) -> Resource:
        name = str(body.get("userName") or body.get("displayName"))
        self.lost[name] = path  # first, since a Ctrl-C may come before the answer
        try:
            answer = super().call("POST", path, body)
        except ScimRefused:
            del self.lost[name]
            raise
        made = answer.get("id")
        if isinstance(made, str) and made:
            self.made[f"{path}/{made}"] = name
            del self.lost[name]
        return answer
