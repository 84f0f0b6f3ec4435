"""What a process says while it works: one calm line to stderr, with the time of day."""

import contextlib
import sys
from datetime import datetime

from crypto.words import Words


def say(words: Words) -> None:
    """Print one line in the reader's language; where nobody can hear it any more, the work goes on."""
    now = datetime.now().astimezone().strftime("%H:%M:%S")
    with contextlib.suppress(OSError, ValueError):  # a terminal that is gone, a closed stream
        print(f"{now} {words}", file=sys.stderr, flush=True)
