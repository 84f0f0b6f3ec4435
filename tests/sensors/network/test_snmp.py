"""SNMP: communities as secrets, objects, users of version 3; each kind once a flow."""

from converse import KEY, actions, read, talk

from sensors.network.reading import mark_of
from sensors.network.snmp import DATAGRAM


def tlv(tag: int, body: bytes) -> bytes:
    return bytes([tag, len(body)]) + body


OBJECT = tlv(0x30, tlv(0x06, bytes.fromhex("2b06010201010500")) + tlv(0x05, b""))
PDU = tlv(0x02, b"\x01") + tlv(0x02, b"\0") + tlv(0x02, b"\0") + tlv(0x30, OBJECT)


def message(community: bytes = b"public", kind: int = 0xA0, version: int = 1) -> bytes:
    return tlv(0x30, tlv(0x02, bytes([version])) + tlv(0x04, community) + tlv(kind, PDU))


def test_a_community_is_a_secret() -> None:
    where = talk(0, 161)
    (told,) = read(DATAGRAM, message(), where)
    assert told.fields["event.action"] == "snmp-get"
    assert told.fields["gov.snmp.version"] == "2c"
    assert told.fields["gov.snmp.well_known_community"] is True
    assert told.fields["gov.credential.mark"] == mark_of(b"public", KEY)
    assert told.fields["gov.snmp.objects"] == ["1.3.6.1.2.1.1.5.0"]
    assert read(DATAGRAM, message(), where) == []
    assert actions(read(DATAGRAM, message(b"geheim", 0xA3), where)) == ["snmp-set"]
    assert "geheim" not in repr(read(DATAGRAM, message(b"geheim"), talk(0, 161)))
    assert read(DATAGRAM, message(kind=0xA2), where)[0].reply


def test_version_3_names_its_user() -> None:
    security = tlv(
        0x30, tlv(4, b"engine") + tlv(2, b"\1") + tlv(2, b"\2") + tlv(4, b"anna") + tlv(4, b"x" * 12)
    )
    head = tlv(0x30, tlv(2, b"\1"))
    raw = tlv(0x30, tlv(2, b"\3") + head + tlv(4, security) + tlv(4, b"sealed"))
    (told,) = read(DATAGRAM, raw)
    assert told.fields["user.name"] == "anna"
    assert told.fields["gov.snmp.sealed"] is True
    assert told.fields["gov.snmp.authenticated"] is True


def test_what_is_not_snmp() -> None:
    for raw in (b"\x30", b"\x30\x03\x02\x01\x09", tlv(0x30, tlv(2, b"\1") + tlv(4, b"x") + tlv(0x61, b""))):
        assert DATAGRAM.read(raw, talk(0, 161)) is None
