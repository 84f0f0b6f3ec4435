"""Enrolment from the sensor's side: prove the center by the token, then ask it for a certificate.

1. Fetch the center's certificates on an unverified connection; the SM3 of the root must be the token's.
2. Connect again, trusting that root alone, and only then show the secret and the request.
3. Keep key, certificate, trust and sensor.toml. The key never leaves the machine; it is written before it is
   used, so that an enrolment that was cut off can be repeated with the same token.
"""

import re
import socket
import time
from contextlib import suppress
from datetime import UTC, datetime
from pathlib import Path
from typing import Final, TypeVar

from crypto import pem
from crypto.keys import SigningKey
from crypto.link_identity import LinkIdentity
from crypto.link_peers import PeerJudge
from crypto.link_trust import LinkTrust
from crypto.sm_stream import SmStream
from crypto.sm_tls import client_context
from crypto.words import BadInput, LiuheError, Refused, Words
from crypto.x509 import REQUEST, read_certificates
from crypto.x509_issue import Subject, request_der
from sensors.address import Address, connect, parse_address
from sensors.link import IDENTITY_NAME, PENDING_NAME, TRUST_NAME
from sensors.messages import (
    GREETING_BYTES_MAX,
    Authority,
    AuthorityRequest,
    Decoder,
    Enrolled,
    EnrolRequest,
    Message,
    Problem,
    encode_message,
    malformed,
)
from sensors.settings import Kind, Settings, write_settings
from sensors.token import Token, decode_token
from sensors.uplink import refusal

CONNECT_SECONDS: Final = 10.0
ANSWER_SECONDS: Final = 20.0
_ID: Final = re.compile(r"[a-z0-9][a-z0-9._-]{0,62}")

M = TypeVar("M", Authority, Enrolled)


def enrol(data: Path, token_text: str, *, kind: Kind, sensor: str = "", center: str = "") -> Settings:
    """Enrol this machine into the data folder; ``center`` overrides the token's addresses.

    Raises BadInput (token, id, address), Refused (the center says no, or is not the token's center),
    LiuheError (no connection).
    """
    token = decode_token(token_text)
    chosen = sensor or default_id(kind)
    if _ID.fullmatch(chosen) is None:
        raise _bad_id(chosen)
    addresses = [parse_address(text) for text in ([center] if center else token.addresses)]
    keys = data / "keys"
    keys.mkdir(parents=True, exist_ok=True, mode=0o700)
    key = _key(keys)
    last: OSError | None = None
    for address in addresses:
        try:
            answer = _enrol_at(address, token, LinkTrust(keys / TRUST_NAME), key, chosen, kind)
        except OSError as error:
            last = error
            continue
        chain = tuple(read_certificates(answer.certificate.encode()))
        LinkIdentity(key=key, chain=chain).save(keys / IDENTITY_NAME)
        (keys / PENDING_NAME).unlink(missing_ok=True)
        settings = Settings(
            id=answer.sensor, unit=answer.unit, kind=kind, center=[str(one) for one in addresses]
        )
        write_settings(data, settings)
        return settings
    raise _unreachable(addresses, last)


def default_id(kind: Kind) -> str:
    """The host's name and the kind, in the letters an id may have."""
    host = re.sub(r"[^a-z0-9-]", "-", socket.gethostname().split(".")[0].lower()).strip("-") or "sensor"
    return f"{host[:50]}-{kind}"


def request_for(key: SigningKey, sensor: str) -> bytes:
    """A certificate request (PEM) of a sensor's key."""
    subject = Subject(common_name=sensor, id=sensor)
    return pem.encode(request_der(key, "sensor", subject), REQUEST)


def _key(keys: Path) -> SigningKey:
    """The key to certify: the one of an enrolment that was cut off or is repeated, else a new one."""
    for name in (PENDING_NAME, IDENTITY_NAME):
        with suppress(LiuheError):  # absent, damaged, or of a release whose keys were of another kind
            return SigningKey.load(keys / name)
    (keys / PENDING_NAME).unlink(missing_ok=True)
    return SigningKey.create(keys / PENDING_NAME)


def _enrol_at(
    address: Address, token: Token, trust: LinkTrust, key: SigningKey, sensor: str, kind: Kind
) -> Enrolled:
    context = client_context()
    with connect(address, context, None, CONNECT_SECONDS) as stream:
        bundle = _ask(stream, AuthorityRequest(), Authority).certificate.encode()
    try:
        trust.pin(bundle, token.authority.hex(), _now())
        stream = connect(address, context, PeerJudge(trust.store, _now).center, CONNECT_SECONDS)
    except (Refused, BadInput) as error:
        raise _wrong_center(address) from error
    with stream:
        asked = EnrolRequest(
            token=token.id,
            secret=token.secret,
            sensor=sensor,
            kind=kind,
            hostname=socket.gethostname()[:253],
            request=request_for(key, sensor).decode(),
        )
        return _ask(stream, asked, Enrolled)


def _now() -> datetime:
    return datetime.now(UTC)


def _ask(stream: SmStream, message: Message, wanted: type[M]) -> M:
    """One question, one answer. Raises Refused with the center's reason."""
    stream.settimeout(ANSWER_SECONDS)
    stream.sendall(encode_message(message))
    decoder = Decoder(GREETING_BYTES_MAX)
    end = time.monotonic() + ANSWER_SECONDS
    while time.monotonic() < end and (data := stream.recv(GREETING_BYTES_MAX)):
        for answer in decoder.feed(data):
            if isinstance(answer, Problem):
                raise refusal(answer)
            if not isinstance(answer, wanted):
                raise malformed("another answer than the one asked for", "type")
            return answer
    raise ConnectionResetError("the center closed the connection without an answer")


def _wrong_center(address: Address) -> Refused:
    return Refused(
        "wrong-center",
        Words("对端不是签发此令牌的中心,未发送任何秘密", "the peer is not the center that gave this token"),
        Words(
            "请核对地址;若地址无误,网络中可能有人冒充中心",
            "check the address; if it is right, it is impersonated",
        ),
        field=str(address),
    )


def _bad_id(text: str) -> BadInput:
    return BadInput(
        "sensor-id",
        Words("传感器名字不合格式", "malformed sensor id"),
        Words("请用小写字母、数字、. _ -,至多 63 个", "use lower-case letters, digits, . _ -, at most 63"),
        field=text[:100],
    )


def _unreachable(addresses: list[Address], error: OSError | None) -> LiuheError:
    reason = (error.strerror or str(error)) if error is not None else ""
    return LiuheError(
        "center-unreachable",
        Words(f"连不上中心:{reason}", f"the center cannot be reached: {reason}"),
        Words("请检查地址、端口和防火墙", "check address, port and firewall"),
        field=", ".join(map(str, addresses)),
    )
