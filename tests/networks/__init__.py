"""Pretended networks: loopback servers with a ledger, faults and the real ones' rules.

One module per network, named like it, with a class ``Pretended``: the cases in ``test_cases.py``
run for every network that can publish, so a new network is found by its name.
"""

import importlib


def pretended(name):
    """The class of a network's pretended server."""
    return importlib.import_module(f"{__name__}.{name}").Pretended
