"""SCIM 2.0 (RFC 7643, 7644) without a server: messages and their meaning, values in, values out, no IO."""
