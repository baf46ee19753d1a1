"""Identity providers of others (idpyoidc, pysaml2), each behind a small server on the loopback."""
