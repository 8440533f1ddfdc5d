"""Every table of this application; the provider's are beside them in the same file. Times are seconds since 1970."""

SCHEMA = """
CREATE TABLE IF NOT EXISTS settings (name TEXT PRIMARY KEY, value TEXT NOT NULL);
-- Whoever has no password logs in by Google; whoever has one has a second factor before the first session.
CREATE TABLE IF NOT EXISTS accounts (
    id TEXT PRIMARY KEY, email TEXT NOT NULL, email_key TEXT NOT NULL UNIQUE,
    given_name TEXT NOT NULL, family_name TEXT NOT NULL,
    password_hash TEXT, password_at INTEGER, google_subject TEXT UNIQUE,
    factor TEXT CHECK (factor IN ('app', 'phone')), totp_secret TEXT, totp_step INTEGER NOT NULL DEFAULT 0, phone TEXT,
    active INTEGER NOT NULL DEFAULT 1, made_at INTEGER NOT NULL,
    CHECK (password_hash IS NOT NULL OR google_subject IS NOT NULL),
    CHECK ((factor = 'app') = (totp_secret IS NOT NULL) AND (factor = 'phone') = (phone IS NOT NULL)));
CREATE TABLE IF NOT EXISTS sessions (
    hash TEXT PRIMARY KEY, sid TEXT NOT NULL UNIQUE, account_id TEXT NOT NULL REFERENCES accounts ON DELETE CASCADE,
    at INTEGER NOT NULL, amr TEXT NOT NULL, device TEXT NOT NULL, address TEXT NOT NULL, ends_at INTEGER NOT NULL);
CREATE INDEX IF NOT EXISTS sessions_of_account ON sessions (account_id);
-- A browser between two pages of a login, a sign-up or a change of the second factor.
CREATE TABLE IF NOT EXISTS steps (
    hash TEXT PRIMARY KEY, kind TEXT NOT NULL, account_id TEXT REFERENCES accounts ON DELETE CASCADE,
    document TEXT NOT NULL, ends_at INTEGER NOT NULL);
-- One-time links that were mailed.
CREATE TABLE IF NOT EXISTS links (
    hash TEXT PRIMARY KEY, purpose TEXT NOT NULL, account_id TEXT REFERENCES accounts ON DELETE CASCADE,
    document TEXT NOT NULL, ends_at INTEGER NOT NULL);
CREATE TABLE IF NOT EXISTS attempts (key TEXT PRIMARY KEY, tries INTEGER NOT NULL, ends_at INTEGER NOT NULL);
-- What the simulated mail and phone companies delivered.
CREATE TABLE IF NOT EXISTS messages (
    id INTEGER PRIMARY KEY, kind TEXT NOT NULL, recipient TEXT NOT NULL, subject TEXT NOT NULL, text TEXT NOT NULL,
    link TEXT NOT NULL, at INTEGER NOT NULL);
"""
