"""Runs a module as a program that ends with whoever started it: `python -P demo_watched.py MODULE ARGUMENT...`.

The starter holds the other end of stdin. When it is gone, however it went, stdin ends, and so does the program: as by
SIGTERM. It is a program of its own, so that neither the bridge nor the IdP has to know; it imports nothing of them.
"""

import os
import runpy
import signal
import sys
import threading


def _end_with_stdin() -> None:
    while os.read(0, 4096):
        pass
    os.kill(os.getpid(), signal.SIGTERM)


if __name__ == "__main__":
    threading.Thread(target=_end_with_stdin, daemon=True).start()
    del sys.argv[0]
    runpy.run_module(sys.argv[0], run_name="__main__", alter_sys=True)
