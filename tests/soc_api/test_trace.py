"""From an event to what its sensor signed: proved, unproved, changed."""

from datetime import UTC, datetime
from pathlib import Path

import msgspec
import pytest

from crypto.keys import SigningKey
from crypto.words import Refused
from crypto.x509 import Certificate
from crypto.x509_issue import Subject, issue_root, new_serial
from detection.store.event_store import Traced
from sensors.event import Event, LogSource, Observation, encode, stamp
from sensors.signed_batch import Signer
from sensors.wire import StoredHeader, lane_sequence, make_batch
from soc_api.trace import certificate_of, told, trace

NOW = datetime(2026, 11, 22, tzinfo=UTC)
KEY = SigningKey.generate()


def event(number: int) -> Event:
    return stamp(
        Observation(time=NOW, logsource=LogSource(product="linux"), fields={"n": number}),
        unit="former",
        sensor="web01",
        epoch=3,
        sequence=lane_sequence("bulk", number),
    )


def traced() -> Traced:
    """The second of three events, whose sensor was moved meanwhile."""
    lines = [encode(event(number)) for number in (7, 8, 9)]
    batch = Signer(KEY).sign(make_batch("web01", 3, "bulk", 7, lines))
    header = StoredHeader(sensor="web01", unit="new", epoch=3, lane="bulk", first=7, last=9, received=NOW)
    stored = msgspec.structs.replace(event(8), ingested=NOW, unit="new")
    return Traced(stored, header, batch)


@pytest.fixture(scope="module")
def certificate() -> Certificate:
    return issue_root(KEY, Subject(common_name="web01"), serial=new_serial(), now=NOW, days=10)


def test_an_event_is_proved_by_the_batch_it_stands_in(certificate: Certificate) -> None:
    said = told(traced(), certificate)
    assert said["verified"] is True
    assert (said["first"], said["last"], said["event_in_body"], said["body"]) == (7, 9, True, "kept")
    assert said["serial"] == f"{certificate.serial:x}"


def test_after_sealing_the_signature_alone_is_proved(certificate: Certificate) -> None:
    found = traced()
    sealed = found._replace(batch=msgspec.structs.replace(found.batch, body=b""))
    said = told(sealed, certificate)
    assert (said["verified"], said["event_in_body"], said["body"]) == (True, None, "released")


def test_a_changed_event_head_or_body_is_told(certificate: Certificate) -> None:
    found = traced()
    forged = msgspec.structs.replace(found.event, fields={"n": 0})
    assert told(found._replace(event=forged), certificate)["verified"] is False
    later = msgspec.structs.replace(found.batch, last=10, count=4)
    assert told(found._replace(batch=later), certificate)["verified"] is False
    other = make_batch("web01", 3, "bulk", 7, [encode(event(number)) for number in (7, 8, 10)])
    swapped = msgspec.structs.replace(found.batch, body=other.body)
    assert told(found._replace(batch=swapped), certificate)["verified"] is False


def test_without_the_signers_certificate_nothing_is_proved() -> None:
    said = told(traced(), None)
    assert (said["verified"], said["signer"]) == (False, "")


def test_a_center_finds_no_event_it_does_not_have(center: Path) -> None:
    for wanted in ("0" * 40, "nonsense"):
        with pytest.raises(Refused, match="event-not-found"):
            trace(center, wanted)


def test_a_key_nobody_was_given_has_no_certificate(center: Path) -> None:
    from crypto.link_authority import LinkAuthority

    folder = LinkAuthority(center / "keys").folder
    assert certificate_of(folder, "0" * 64) is None
    own = LinkAuthority(center / "keys").identity().certificate
    found = certificate_of(folder, own.key_id)
    assert found is not None
    assert found.fingerprint == own.fingerprint
