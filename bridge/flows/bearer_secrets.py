"""Secrets whose bearer is let in, in links and tokens: 256 random bits, kept as a hash only."""

import hashlib
import secrets


def new_secret(prefix: str = "") -> str:
    """A secret of 256 random bits, fit for a URL, behind a prefix by which a leaked one is recognised."""
    return prefix + secrets.token_urlsafe(32)


def digest(secret: str) -> bytes:
    """What is kept of it: its SHA-256. (A password needs argon2; 256 random bits don't.)"""
    return hashlib.sha256(secret.encode("utf-8", "surrogatepass")).digest()
