"""What a witness remembers: of each log the note it cosigned last, in a file of its own, durable.

``witness/seen/<SM3 of the origin>`` holds the note. Requests come one after another: what is decided on one
is on disk before the next is looked at and before the answer goes out. A fork is kept once, at
``witness/forks/<SM3 of both texts>``, and told to ``forked``.
"""

import threading
from collections.abc import Callable, Mapping
from datetime import datetime
from pathlib import Path
from typing import Final

from compliance.ledger_files import replace_file
from compliance.witness import Answer, Fork, decide, parse_request
from compliance.witness_policy import Log
from crypto.keys import SigningKey
from crypto.note import parse_note
from crypto.sm3 import sm3_hex

FORKS_MAX: Final = 1_000  # kept and told of; a log that forks more often has been told of enough


class WitnessBook:
    """The witness of one center; safe between threads, one process."""

    def __init__(
        self, folder: Path, name: str, key: SigningKey, *, forked: Callable[[Fork, datetime], None]
    ) -> None:
        self._folder, self.name, self._key, self._forked = folder, name, key, forked
        self._turn = threading.Lock()
        for part in (folder, folder / "seen", folder / "forks"):
            part.mkdir(mode=0o700, parents=True, exist_ok=True)

    def add_checkpoint(self, body: bytes, logs: Mapping[str, Log], now: datetime) -> Answer:
        """Decide on one request; what the answer rests on is durable on return. Raises BadInput."""
        request = parse_request(body)
        with self._turn:
            seen = self.seen(request.checkpoint.origin)
            answer = decide(request, logs, seen, self.name, self._key, now)
            if answer.remember is not None:
                replace_file(self._path(request.checkpoint.origin), answer.remember)
            if answer.fork:
                self._tell(answer.fork, now)
        return answer

    def seen(self, origin: str) -> bytes | None:
        """The note cosigned last for this log."""
        try:
            return self._path(origin).read_bytes()
        except FileNotFoundError:
            return None

    def _path(self, origin: str) -> Path:
        return self._folder / "seen" / sm3_hex(origin.encode())

    def _tell(self, fork: Fork, now: datetime) -> None:
        """Tell of a fork and keep it, unless it is known."""
        texts = "\n".join(parse_note(note).text for note in (fork.seen, fork.offered))
        # By what is said, not by signatures: those differ each time.
        path = self._folder / "forks" / sm3_hex(texts.encode())
        if not path.exists() and sum(1 for _ in path.parent.iterdir()) < FORKS_MAX:
            self._forked(fork, now)
            replace_file(path, fork.seen + fork.offered)
