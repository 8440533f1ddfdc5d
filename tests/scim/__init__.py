"""SCIM without a server: RFC 7643 and 7644 as sentences, vendors' bodies as files, generated input against oracles."""
