"""A pretended ninth network: its file and its server, and nothing else anywhere."""
