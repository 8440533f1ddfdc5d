"""The main job, end to end, through the real parts: the bridge's own processes and command, and a company's IdP
that pushes by SCIM and signs people in by SAML, over HTTP.
"""
