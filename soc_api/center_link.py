"""The center's end of its sensors' links: its certificate as it is now, its judge, its newest lists.

Everything is read from ``keys/`` when a file there has changed, so that a renewed certificate serves the next
connection and a revocation made by another process (console, command) counts within ``UPKEEP_SECONDS``.
"""

import threading
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Final

from crypto.chain import TrustStore
from crypto.link_authority import LinkAuthority
from crypto.link_peers import PeerJudge
from crypto.sm_tls import Context, server_context

UPKEEP_SECONDS: Final = 15.0  # a revocation must reach live connections within 60 s


class CenterLink:
    """What a listener for sensors needs; safe from any thread."""

    def __init__(
        self,
        authority: LinkAuthority,
        *,
        only_sm: bool = True,
        clock: Callable[[], datetime] = lambda: datetime.now(UTC),
    ) -> None:
        self.authority: Final = authority
        self.judge: Final = PeerJudge(authority.store, clock)
        self._only_sm: Final = only_sm
        self._clock: Final = clock
        self._lock: Final = threading.Lock()
        self._context: tuple[tuple[int, int], Context] | None = None
        self._lists: tuple[TrustStore, str] | None = None

    def context(self) -> Context:
        """For the next connection. Raises LiuheError where the center's key cannot be read."""
        path = self.authority.identity_path
        with self._lock:
            try:
                seen = path.stat()
            except OSError:
                return server_context(self.authority.identity(), only_sm=self._only_sm)  # says what is wrong
            at = (seen.st_mtime_ns, seen.st_ino)
            if self._context is None or self._context[0] != at:
                made = server_context(self.authority.identity(), only_sm=self._only_sm)
                self._context = (at, made)
            return self._context[1]

    def lists(self) -> str:
        """The newest revocation lists for sensors, PEM; the same text while nothing has changed."""
        store = self.authority.store()
        with self._lock:
            if self._lists is None or self._lists[0] is not store:
                self._lists = (store, b"".join(crl.pem() for crl in store.crls).decode("ascii"))
            return self._lists[1]

    def upkeep(self) -> None:
        """Make lists anew that are old or lack a revocation; to be called every ``UPKEEP_SECONDS``."""
        self.authority.refresh_lists(self._clock())
