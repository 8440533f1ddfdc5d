"""An address that attacks name and nobody may ever fetch: somebody listens there, and remembers who came."""

import socket

_listening = socket.create_server(("127.0.0.1", 0), backlog=64)
_listening.setblocking(False)
#: host:port, listened at for as long as this process lives.
CANARY = f"127.0.0.1:{_listening.getsockname()[1]}"


def visitors() -> int:
    """How many have connected since this was last asked."""
    came = 0
    while True:
        try:
            visitor, _ = _listening.accept()
        except BlockingIOError:
            return came
        visitor.close()
        came += 1
