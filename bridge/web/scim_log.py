"""What `scim_api` tells the request log: who calls, and what the call was answered (product.md 4.6).

Never the Authorization header; bodies and addresses go through `scim.redaction`.
"""

import logging
import threading
from datetime import UTC, datetime

from flask import Response, g, request
from werkzeug.exceptions import HTTPException

from bridge.domain.tokens import ProvisioningCaller
from bridge.flows.context import Context
from bridge.flows.health import is_away
from bridge.flows.log_requests import Call, flush, log_answer, watch
from bridge.web.current import current_context, current_time
from bridge.web.scim_addresses import PREFIX
from scim.redaction import redact_address

SECONDS_BETWEEN = 1.0
#: By these nothing is changed, so there is nothing to be watched.
_READING = frozenset({"GET", "HEAD"})

log = logging.getLogger(__name__)


def begin(caller: ProvisioningCaller) -> None:
    """From here on the call belongs to a connection: what it changes, and what it is answered, is logged."""
    path = redact_address(request.path.removeprefix(PREFIX) or "/", request.query_string)
    g.scim_call = call = Call(caller.connection, current_time(), request.method, path, _sent)
    if request.method not in _READING:
        g.context = watch(current_context(), call)


def _sent() -> bytes:
    """The body as it came; nothing where there is none, or it is longer than is read."""
    if not {"CONTENT_LENGTH", "HTTP_TRANSFER_ENCODING"} & request.environ.keys():
        return b""
    try:
        return request.get_data()
    except HTTPException:
        return b""


def finish(response: Response) -> Response:
    """Log the answer, unless nobody known called."""
    call: Call | None = g.get("scim_call")
    if call is not None:
        answer = b"" if response.direct_passthrough else response.get_data()
        try:
            log_answer(current_context(), call, response.status_code, answer, current_time())
        except Exception as failure:
            if not is_away(failure):  # else there is nowhere to write it, and the answer is worth more
                raise
            log.error("a line of the SCIM log can't be written: %s", failure)
    return response


class Flushing:
    """Writes what waits about once a second, by a thread of its own, until it is ended; begun after a fork."""

    def __init__(self, context: Context) -> None:
        self._context, self._ended = context, threading.Event()
        self._thread = threading.Thread(target=self._run, name="scim log", daemon=True)
        self._thread.start()

    def _run(self) -> None:
        while not self._ended.wait(SECONDS_BETWEEN):
            self._flush()

    def _flush(self) -> None:
        try:
            flush(self._context, datetime.now(UTC))
        except Exception:  # a database that is away for a moment mustn't end the log
            log.exception("lines of the SCIM log can't be written")

    def end(self) -> None:
        """Write the rest, and stop."""
        self._ended.set()
        self._thread.join()
        self._flush()
