"""How values lie in Redis: as JSON, so that whoever can write there runs nothing here (ASVS 1.5.2).

Django's own serializer unpickles whatever it finds.
"""

import json
from typing import Any


class Json:
    """Whole numbers lie there as themselves, so that Redis can count with them."""

    def dumps(self, value: Any) -> bytes:
        """Raises TypeError for what JSON does not know."""
        return json.dumps(value).encode()

    def loads(self, found: bytes) -> Any:
        """Raises ValueError for what is no JSON."""
        return json.loads(found)
