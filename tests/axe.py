"""axe-core, as the wheel brings it: the script that a page is searched for barriers with."""

from importlib.resources import files

AXE_SCRIPT = (files("axe_playwright_python") / "axe.min.js").read_text()
