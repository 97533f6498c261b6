"""What the process tells its caller."""

from __future__ import annotations

GOOD = 0
BAD_USAGE = 2
COULD_NOT_JOIN = 3
MEDIA_NEVER_CAME = 4
