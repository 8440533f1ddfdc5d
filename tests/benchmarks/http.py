"""One keep-alive client, as thin as the standard library has it: what is measured is the server."""

import http.client
from collections.abc import Mapping
from urllib.parse import urlsplit


class Client:
    """One connection to one server, cookies kept by hand."""

    def __init__(self, url: str, headers: Mapping[str, str] = {}) -> None:
        self._connection = http.client.HTTPConnection(urlsplit(url).netloc)
        self._headers = dict(headers)

    def call(
        self, method: str, path: str, body: bytes | None = None, headers: Mapping[str, str] = {}
    ) -> tuple[int, http.client.HTTPMessage, bytes]:
        """One request. Returns status, headers and body; fails on a 5xx."""
        self._connection.request(method, path, body, {**self._headers, **headers})
        answer = self._connection.getresponse()
        said = answer.read()
        assert answer.status < 500, (method, path, answer.status, said[:500])
        return answer.status, answer.headers, said
