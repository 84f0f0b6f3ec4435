"""Sensors and centers recognise each other by certificates of one CA, and nobody else."""

import ssl
import stat
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from crypto import tls
from crypto.words import BadInput, LiuheError, Refused

NOW = datetime.now(UTC)


@pytest.fixture(scope="module")
def authority(tmp_path_factory: pytest.TempPathFactory) -> tls.Authority:
    return _center(tmp_path_factory.mktemp("center"))


def _center(folder: Path) -> tls.Authority:
    made = tls.create_authority(folder / "keys", "市中心", NOW)
    tls.issue_server(made, "市中心", ["localhost", "127.0.0.1", "::1"], NOW)
    return made


def _sensor(folder: Path, authority: tls.Authority, sensor: str = "web01") -> tuple[Path, Path]:
    key, request = tls.create_request(sensor)
    certificate = tls.issue_sensor(authority, request, sensor=sensor, unit="大数据局", now=NOW)
    tls.write_private(folder / "k", key)
    (folder / "c").write_bytes(certificate)
    return folder / "c", folder / "k"


def _handshake(client: ssl.SSLContext, server: ssl.SSLContext) -> tuple[Any, Any, str | None]:
    """Both ends' view of the other's certificate, after a handshake over memory."""
    to_server, to_client = ssl.MemoryBIO(), ssl.MemoryBIO()
    one = client.wrap_bio(to_client, to_server)
    two = server.wrap_bio(to_server, to_client, server_side=True)
    for _ in range(4):
        for end in (one, two):
            try:
                end.do_handshake()
            except ssl.SSLWantReadError:
                continue
    two_peer = two.getpeercert()
    return one.getpeercert(), two_peer, one.version()


def test_mutual_tls_names_sensor_unit_and_center(authority: tls.Authority, tmp_path: Path) -> None:
    context = tls.client_context(authority.certificate, *_sensor(tmp_path, authority))
    center, sensor, version = _handshake(context, tls.server_context(authority))
    assert version == "TLSv1.3"
    assert tls.check_center(center) == "市中心"
    assert tls.peer_name(sensor) == tls.PeerName("web01", "大数据局")


def test_a_client_without_certificate_has_no_name(authority: tls.Authority) -> None:
    _, sensor, _ = _handshake(tls.client_context(authority.certificate), tls.server_context(authority))
    assert tls.peer_name(sensor) is None


def test_another_ca_is_refused_on_either_side(authority: tls.Authority, tmp_path: Path) -> None:
    other = _center(tmp_path)
    with pytest.raises(ssl.SSLCertVerificationError):
        _handshake(tls.client_context(other.certificate), tls.server_context(authority))
    stranger = tls.client_context(authority.certificate, *_sensor(tmp_path, other))
    with pytest.raises(ssl.SSLError):
        _handshake(stranger, tls.server_context(authority))


def test_a_sensor_cannot_pose_as_the_center(authority: tls.Authority, tmp_path: Path) -> None:
    certificate, key = _sensor(tmp_path, authority)
    posing = authority._replace(server_certificate=certificate, server_key=key)
    with pytest.raises(ssl.SSLCertVerificationError):
        _handshake(tls.client_context(authority.certificate), tls.server_context(posing))
    with pytest.raises(Refused):
        tls.check_center({"subjectAltName": (("URI", "urn:liuhe:sensor:web01"),)})


def test_keys_are_private_and_an_authority_is_made_once(authority: tls.Authority) -> None:
    for path in (authority.key, authority.server_key):
        assert stat.S_IMODE(path.stat().st_mode) == 0o600
    before = authority.key.read_bytes()
    assert tls.create_authority(authority.key.parent, "x", NOW) == authority
    assert authority.key.read_bytes() == before


@pytest.mark.parametrize("request_pem", [b"", b"not pem", b"x" * 20_000])
def test_malformed_requests_are_refused(authority: tls.Authority, request_pem: bytes) -> None:
    with pytest.raises(BadInput):
        tls.issue_sensor(authority, request_pem, sensor="a", unit="b", now=NOW)


def test_fingerprints_are_of_the_der_and_need_one(authority: tls.Authority) -> None:
    pem = authority.certificate.read_bytes()
    assert tls.fingerprint(pem) == tls.fingerprint(pem.decode() + "\n")
    assert len(tls.fingerprint(pem)) == 64
    with pytest.raises(BadInput):
        tls.fingerprint("nothing")


def test_missing_keys_are_explained(tmp_path: Path) -> None:
    with pytest.raises(LiuheError) as caught:
        tls.client_context(tmp_path / "none.pem")
    assert caught.value.code == "keys-unreadable"
