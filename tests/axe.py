"""axe-core, as the wheel brings it: what it finds on a page that keeps somebody out."""

from importlib.resources import files

from playwright.sync_api import Page

_SCRIPT = (files("axe_playwright_python") / "axe.min.js").read_text()
_STANDARDS = ("wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice")
_RUN = "only => axe.run({runOnly: only, resultTypes: ['violations']})"


def axe_finds(page: Page, *rules: str) -> list[str]:
    """Run axe in the page, all of it or only some rules; its faults with the elements that have them."""
    page.wait_for_load_state()  # a click returns when the next page's answer begins; its document may be empty yet
    if not page.evaluate("'axe' in window"):
        page.evaluate(_SCRIPT)
    only = {"type": "rule", "values": rules} if rules else {"type": "tag", "values": _STANDARDS}
    found = page.evaluate(_RUN, only)
    return [f"{rule['id']}: {node['html'][:160]}" for rule in found["violations"] for node in rule["nodes"]]
