"""What a process says while it works: one calm line to stderr, with the time of day."""

import sys
from datetime import datetime

from crypto.words import Words


def say(words: Words) -> None:
    """Print one line in the reader's language."""
    now = datetime.now().astimezone().strftime("%H:%M:%S")
    print(f"{now} {words}", file=sys.stderr, flush=True)
