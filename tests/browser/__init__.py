"""The pages in a real browser, driven by Playwright."""
