"""The Content-Security-Policy of the pages: own files only, nothing inline."""


def content_policy(forms_go_to: str = "'self'") -> str:
    """The header's value; forms of the page may be sent to `forms_go_to` (an origin) only."""
    return (
        "default-src 'none'; style-src 'self'; script-src 'self'; img-src 'self'; "
        f"form-action {forms_go_to}; base-uri 'none'; frame-ancestors 'none'"
    )
