"""SCIM without a server: RFC 7643 and 7644 as sentences, generated input against oracles."""
