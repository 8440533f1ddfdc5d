"""Is a page sound? It has no barriers and fits; a picture of it is kept where somebody wants one."""

from dataclasses import dataclass
from pathlib import Path

from playwright.sync_api import Page, ViewportSize

from tests.axe import axe_finds

_TABLET: ViewportSize = {"width": 1024, "height": 900}


def too_wide(page: Page) -> list[str]:
    """What can be scrolled sideways, or runs out of the card it is in."""
    page.wait_for_load_state()
    found: list[str] = (
        page.evaluate("""() => [document.documentElement, ...document.querySelectorAll('.card, .b-auth-card')]
        .filter(box => box.scrollWidth > box.clientWidth + 1).map(box => box.className || box.tagName)""")
    )
    return found


@dataclass(frozen=True, slots=True)
class Looker:
    """Looks at the pages of one story, each by a name; pictures are kept in a folder, or not (None)."""

    page: Page
    pictures: Path | None
    story: str

    def here(self, name: str) -> None:
        """A page of the bridge's, at its width; on a wide screen on that of a tablet, too."""
        self.there(name)
        assert axe_finds(self.page) == [], name
        assert too_wide(self.page) == [], name
        size = self.page.viewport_size
        if size and size["width"] > _TABLET["width"]:
            self.page.set_viewport_size(_TABLET)
            assert too_wide(self.page) == [], f"{name} on a tablet"
            self.page.set_viewport_size(size)

    def there(self, name: str) -> None:
        """A page that is only pictured: another site's, which has tests of its own, or one without script."""
        if self.pictures is not None:
            self.page.screenshot(path=self.pictures / f"{self.story}-{name}.png", full_page=True)
