"""Asking a witness over HTTP or HTTPS: one POST, bounded in time and bytes, nothing of ours beside the body.

What is sent is signed by the ledger's key and what comes back by the witness's: TLS only keeps others from
reading along. A CA file beside the policy (``witness/ca.pem``) serves peers with certificates of their own.
"""

import http.client
import ssl
from pathlib import Path
from typing import Final
from urllib.parse import urlsplit

from compliance.cosigning import Ask

TIMEOUT_SECONDS: Final = 10.0
ANSWER_BYTES_MAX: Final = 64 * 1024


def asker(authority: Path | None, *, timeout_seconds: float = TIMEOUT_SECONDS) -> Ask:
    """How to ask; ``authority`` is a CA file, None for those of the system."""

    def ask(url: str, body: bytes) -> tuple[int, str]:
        parts = urlsplit(url)
        connection: http.client.HTTPConnection
        try:
            if parts.scheme == "https":
                trusted = str(authority) if authority and authority.exists() else None
                context = ssl.create_default_context(cafile=trusted)
                connection = http.client.HTTPSConnection(
                    parts.hostname or "", parts.port, timeout=timeout_seconds, context=context
                )
            else:
                connection = http.client.HTTPConnection(
                    parts.hostname or "", parts.port, timeout=timeout_seconds
                )
        except (ValueError, http.client.HTTPException) as error:
            raise OSError(f"{url}: {error}") from error
        try:
            connection.request("POST", parts.path or "/", body, {"Content-Type": "text/plain; charset=utf-8"})
            answer = connection.getresponse()
            data = answer.read(ANSWER_BYTES_MAX + 1)
        except (http.client.HTTPException, ValueError) as error:
            raise OSError(f"{parts.hostname}: {error!r}") from error
        finally:
            connection.close()
        if len(data) > ANSWER_BYTES_MAX:
            raise OSError(f"{parts.hostname}: more than {ANSWER_BYTES_MAX} bytes")
        return answer.status, data.decode("utf-8", "replace")

    return ask
