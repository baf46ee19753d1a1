"""Count in the shared cache, for a while: what came too often is told by whoever asks."""

from django.core.cache import cache


def counted(key: str, seconds: int, *, by: int = 1, renew: bool = False) -> int:
    """Count atomically; the number ends ``seconds`` after its first, or with ``renew`` its last.

    Raises whatever the cache throws when it is away.
    """
    cache.add(key, 0, seconds)
    try:
        found = int(cache.incr(key, by))
    except ValueError:  # it was forgotten between the two
        cache.add(key, max(by, 0), seconds)
        return max(by, 0)
    if renew or found == 1:  # it may have ended between the two, and would count on without an end
        cache.touch(key, seconds)
    return found
