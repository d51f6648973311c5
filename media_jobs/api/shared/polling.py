"""When to look again."""

#: The longest that a client is asked to wait before it does.
_LONGEST_S = 60


def wait(estimated_ms: int) -> str:
    """Return whole seconds, for Retry-After."""
    return str(min(max(1, -(-estimated_ms // 1000)), _LONGEST_S))
