"""From an event back to the batch its sensor signed: who signed, what, and whether the signature holds."""

from datetime import UTC
from pathlib import Path

from msgspec.structs import replace

from crypto.authority_files import AuthorityFolder
from crypto.link_authority import LinkAuthority
from crypto.words import BadInput, Refused, Words
from crypto.x509 import Certificate, read_certificates
from detection.store.event_store import EventStore, Traced
from sensors.event import decode, sequence_of
from sensors.messages import SEQUENCE_MAX
from sensors.signed_batch import signed_bytes
from sensors.wire import batch_lines
from soc_api.folders import Folders, state_engine
from soc_api.settings import load_settings


def trace(data: Path, event: str) -> dict[str, object]:
    """What is known of the batch an event came in, fit for JSON; ``verified`` says whether it is proved.

    Raises Refused (event-not-found, event-untraceable).
    """
    folders = Folders(data)
    engine = state_engine(folders, load_settings(data))
    try:
        store = EventStore(data, engine)
        try:
            found = _found(store, event)
        finally:
            store.close()
    finally:
        engine.dispose()
    return told(found, certificate_of(LinkAuthority(folders.keys).folder, found.batch.key.hex()))


def told(found: Traced, certificate: Certificate | None) -> dict[str, object]:
    """The batch of an event in words; without a certificate nothing is verified."""
    header, batch = found.header, found.batch
    signed = certificate is not None and _holds(found, certificate)
    contains = _contains(found)
    return {
        "event": found.event.id,
        "sensor": header.sensor,
        "unit": header.unit,
        "received": header.received.astimezone(UTC).isoformat(),
        "lane": batch.lane,
        "epoch": batch.epoch,
        "first": batch.first,
        "last": batch.last,
        "count": batch.count,
        "body_sm3": batch.sm3.hex(),
        "body": "kept" if batch.body else "released",
        "event_in_body": contains,
        "key": batch.key.hex(),
        "signature": batch.signature.hex(),
        "signer": str(certificate.subject) if certificate is not None else "",
        "serial": f"{certificate.serial:x}" if certificate is not None else "",
        "verified": signed and contains is not False,
    }


def certificate_of(folder: AuthorityFolder, key: str) -> Certificate | None:
    """The certificate this authority issued for a key, revoked or not; None where it issued none."""
    for one in reversed(folder.issued()):
        if one.key_id == key:
            try:
                return read_certificates((folder.path / "issued" / f"{one.serial}.pem").read_bytes())[0]
            except FileNotFoundError:
                return None
    return None


def _found(store: EventStore, event: str) -> Traced:
    try:
        found = store.trace(event)
    except ValueError:  # not an event id
        found = None
    if found is not None:
        return found
    if store.get([event]):
        raise Refused(
            "event-untraceable",
            Words("此事件没有签名批的记录", "no signed batch is on record for this event"),
            Words("它在签名批启用前入库", "it was stored before batches were signed"),
            field=event,
        )
    raise Refused(
        "event-not-found",
        Words("没有这个事件", "there is no such event"),
        Words("请核对编号;可能已超过留存期", "check its id; it may be past its retention"),
        field=event,
    )


def _holds(found: Traced, certificate: Certificate) -> bool:
    try:
        certificate.public_key().verify(signed_bytes(found.batch), found.batch.signature)
    except Refused:
        return False
    return True


def _contains(found: Traced) -> bool | None:
    """Whether the event stands in the signed body as it is stored; None where the body is released."""
    if not found.batch.body:
        return None
    place = sequence_of(found.event.id)[1] & SEQUENCE_MAX
    try:
        said = decode(batch_lines(found.batch)[place - found.batch.first])
    except (BadInput, IndexError):
        return False
    # What the center itself says of it: when it came, and where its sensor belongs.
    return replace(said, ingested=found.event.ingested, unit=found.event.unit) == found.event
