"""Inventory of the certificates servers on this host use, found by folder; keys beside them stay unread.

A file may hold a private key behind its certificate: only what stands between the marks of a certificate is
decoded, everything else is dropped as it was read.
"""

import base64
import binascii
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Final

from sensors.host.inventory.kind import Kind
from sensors.host.probe import HostFiles
from sensors.host.tables import table

_FILE_BYTES_MAX: Final = 256 * 1024
_DEPTH_MAX: Final = 3
_FILES_MAX: Final = 2_000
_PER_FILE_MAX: Final = 16  # a server's certificate with its chain; more is a bundle
_BEGIN: Final = b"-----BEGIN CERTIFICATE-----"
_END: Final = b"-----END CERTIFICATE-----"
_DER: Final = b"\x30\x82"
ENDING: Final = timedelta(days=30)


def certificates(files: HostFiles) -> Iterator[tuple[str, ...]]:
    """One row per certificate; a file that holds none, or only malformed ones, gives no row."""
    from sensors.network.certificate import parse_certificate  # costs memory only where something is found

    settings = table("certificate_places")
    suffixes, passed_over = tuple(settings["suffixes"]), tuple(settings["passed_over"])
    looked, now = 0, datetime.now(UTC)
    for place in settings["places"]:
        for path in _files(files.path(place), 0):
            if not path.name.endswith(suffixes) or any(one in path.name for one in passed_over):
                continue
            looked += 1
            if looked > _FILES_MAX:
                return
            name = f"/{path.relative_to(files.root)}"
            for der in encoded(path):
                found = parse_certificate(der)
                if found is None:
                    continue
                yield (
                    name,
                    found.subject,
                    found.issuer,
                    found.serial,
                    _day(found.not_before),
                    _day(found.not_after),
                    f"{found.key_kind or found.key_algorithm} {found.key_bits}".strip(),
                    found.signature_algorithm,
                    found.sha256,
                    "yes" if found.self_issued else "no",
                    "yes" if found.is_authority else "no",
                    standing(found.not_before, found.not_after, now),
                )


def _files(place: Path, depth: int) -> Iterator[Path]:
    try:
        if place.is_file():
            yield place
        elif place.is_dir() and depth <= _DEPTH_MAX:
            for one in sorted(place.iterdir())[:_FILES_MAX]:
                yield from _files(one, depth + 1)
    except OSError:
        return


def encoded(path: Path) -> list[bytes]:
    """The DER forms in a PEM or DER file, at most sixteen; [] for bundles and what cannot be read."""
    try:
        if path.stat().st_size > _FILE_BYTES_MAX:
            return []
        data = path.read_bytes()[:_FILE_BYTES_MAX]
    except OSError:
        return []
    if data.startswith(_DER):
        return [data]
    found = []
    for piece in data.split(_BEGIN)[1:]:
        body, mark, _ = piece.partition(_END)
        if not mark:
            continue
        try:
            found.append(base64.b64decode(b"".join(body.split()), validate=True))
        except (binascii.Error, ValueError):
            continue
    return found if len(found) <= _PER_FILE_MAX else []


def standing(begins: datetime | None, ends: datetime | None, now: datetime) -> str:
    """How a certificate stands: when it passes from one to the next, its row changes and is told."""
    if begins is None or ends is None:
        return ""
    if now < begins:
        return "early"
    if now > ends:
        return "over"
    return "ending" if ends - now < ENDING else "valid"


def _day(time: datetime | None) -> str:
    return time.isoformat() if time is not None else ""


KINDS: Final = (
    Kind(
        "certificates",
        (
            "path",
            "subject",
            "issuer",
            "serial",
            "not_before",
            "not_after",
            "key",
            "signature",
            "sha256",
            "self_signed",
            "ca",
            "standing",
        ),
        certificates,
        "file: places of rules/mappings/certificate_places.toml",
        keys=2,
    ),
)
