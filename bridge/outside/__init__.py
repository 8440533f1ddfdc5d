"""What the bridge itself sends out: mail, HTTP and DNS, with limits on time, size and addresses in one place.

- `mail`  `make_mailer(url, sender)` gives a `Mailer`: SMTP, or a folder that keeps every message as a file
- `web`   `fetch(url, ...)` gives the bytes behind an address that somebody else named
- `calls` a few of them at a time while somebody waits: a silent provider rests, and doesn't stop the house
- `dns`   `find_texts(name)` gives the TXT records of a name; `domain_proof`: whether either proves a domain

Rule: whatever is here may take long and fail, so it is never called inside a transaction. The application hands it to
web and worker as values; flows never import it.
"""
