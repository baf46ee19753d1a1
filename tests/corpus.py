"""The corpus of bad inputs that lies beside the checkout; tests skip with a reason without it."""

import base64
import sys

import pytest

from .conftest import SHARED


def cases(*groups):
    """The cases of groups, for ``parametrize``; one that skips where the corpus is absent."""
    if not (SHARED / "badinputs.json").exists():
        absent = pytest.mark.skip(reason="../shared is not beside this checkout")
        return [pytest.param(None, marks=absent, id="absent")]
    if str(SHARED) not in sys.path:
        sys.path.insert(0, str(SHARED))
    import badinputs_load

    return [pytest.param(case, id=case["id"]) for case in badinputs_load.cases(*groups)]


def value(case):
    """The concrete text or bytes of a case."""
    import badinputs_load

    if "value" in case:
        return case["value"]
    return base64.b64decode(case["b64"]) if "b64" in case else badinputs_load.gen(case["gen"])
