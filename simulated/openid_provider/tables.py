"""The provider's tables, in its host's file."""

PROVIDER_SCHEMA = """
CREATE TABLE IF NOT EXISTS signing_keys (
    kid TEXT PRIMARY KEY, jwk TEXT NOT NULL, made_at INTEGER NOT NULL, retired_at INTEGER);
CREATE UNIQUE INDEX IF NOT EXISTS one_key_signs ON signing_keys ((1)) WHERE retired_at IS NULL;
CREATE TABLE IF NOT EXISTS clients (id TEXT PRIMARY KEY, secret_hash TEXT NOT NULL, document TEXT NOT NULL);
-- An authorization request that waits for a login.
CREATE TABLE IF NOT EXISTS waiting (
    id TEXT PRIMARY KEY, query TEXT NOT NULL, client_id TEXT NOT NULL, login_hint TEXT NOT NULL,
    asked_at INTEGER NOT NULL);
CREATE TABLE IF NOT EXISTS codes (
    hash TEXT PRIMARY KEY, client_id TEXT NOT NULL, redirect_uri TEXT NOT NULL, scope TEXT NOT NULL, nonce TEXT,
    challenge TEXT NOT NULL, subject TEXT NOT NULL, sid TEXT NOT NULL, auth_time INTEGER NOT NULL, amr TEXT NOT NULL,
    ends_at INTEGER NOT NULL, used INTEGER NOT NULL DEFAULT 0);
CREATE TABLE IF NOT EXISTS tokens (
    hash TEXT PRIMARY KEY, code_hash TEXT NOT NULL, client_id TEXT NOT NULL, subject TEXT NOT NULL, sid TEXT NOT NULL,
    scope TEXT NOT NULL, ends_at INTEGER NOT NULL);
CREATE INDEX IF NOT EXISTS tokens_of_code ON tokens (code_hash);
-- Which clients a session signed its person in to (they hear of its end), and which a person ever used (of changes).
CREATE TABLE IF NOT EXISTS signed_in (
    sid TEXT NOT NULL, client_id TEXT NOT NULL, subject TEXT NOT NULL, PRIMARY KEY (sid, client_id)) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS linked (
    subject TEXT NOT NULL, client_id TEXT NOT NULL, first_at INTEGER NOT NULL, last_at INTEGER NOT NULL,
    PRIMARY KEY (subject, client_id)) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS outbox (
    id INTEGER PRIMARY KEY, kind TEXT NOT NULL, client_id TEXT NOT NULL, claims TEXT NOT NULL,
    made_at INTEGER NOT NULL, due_at REAL NOT NULL, tries INTEGER NOT NULL DEFAULT 0,
    state TEXT NOT NULL DEFAULT 'waiting', said TEXT NOT NULL DEFAULT '');
CREATE INDEX IF NOT EXISTS outbox_waiting ON outbox (client_id, kind, id) WHERE state = 'waiting';
"""
