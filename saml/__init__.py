"""SAML 2.0, service-provider side: bytes in, values out."""
