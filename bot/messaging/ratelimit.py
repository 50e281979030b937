"""A token bucket per sender. Pure."""

from datetime import datetime


def take(tokens: float, since: datetime | None, at: datetime, *, per_minute: int) -> tuple[float, bool]:
    """Takes one token from a bucket that refills evenly.

    Args:
        tokens: Tokens left at ``since``; negative for a bucket never used.
        since: When ``tokens`` was last counted.
        at: The time now.
        per_minute: Both the size of the bucket and its refill per minute.

    Returns:
        The tokens left, and whether the message may pass.
    """
    if tokens < 0 or since is None:
        tokens = float(per_minute)
    else:
        elapsed = max(0.0, (at - since).total_seconds())
        tokens = min(float(per_minute), tokens + elapsed * per_minute / 60)
    return (tokens - 1, True) if tokens >= 1 else (tokens, False)
