"""What an operator may set of the device adapters: the ``[device]`` table of sensor.toml."""

from typing import Annotated, Final, NamedTuple

import msgspec

from crypto.words import BadInput, Words
from sensors.address import Address, parse_address

SYSLOG_SCHEMES: Final = ("udp", "tcp", "tls")
FLOW_SCHEMES: Final = ("udp",)
_LISTENERS_MAX: Final = 16
_FILES_MAX: Final = 64

Listener = Annotated[str, msgspec.Meta(max_length=300)]


class DeviceSettings(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Nothing is listened to and no file is read unless it is named here."""

    syslog: Annotated[list[Listener], msgspec.Meta(max_length=_LISTENERS_MAX)] = []
    """Where syslog is received: ``udp://0.0.0.0:514``, ``tcp://[::]:601``, ``tls://0.0.0.0:6514``."""
    flows: Annotated[list[Listener], msgspec.Meta(max_length=_LISTENERS_MAX)] = []
    """Where NetFlow v5, v9 and IPFIX are received: ``udp://0.0.0.0:2055``."""
    files: Annotated[list[str], msgspec.Meta(max_length=_FILES_MAX)] = []
    """Log files of other programs, followed: Suricata's eve.json, Zeek's JSON logs, CEF, LEEF, syslog."""
    peers: Annotated[list[str], msgspec.Meta(max_length=1_000)] = []
    """Networks that may send; empty: every address."""
    tls_certificate: str = ""
    """PEM file of the certificate and chain shown to devices at ``tls://``."""
    tls_key: str = ""
    """PEM file of its private key."""
    tls_authorities: str = ""
    """PEM file of the authorities of device certificates; given, every device must show one."""
    zone_hours: Annotated[float, msgspec.Meta(ge=-14, le=14)] | None = None
    """Hours ahead of UTC of device clocks that do not say their zone; none: as this machine."""
    connections_max: Annotated[int, msgspec.Meta(ge=1, le=4_096)] = 256
    """TCP and TLS connections at a time."""


class Endpoint(NamedTuple):
    """A scheme and the address to bind."""

    scheme: str
    address: Address

    def __str__(self) -> str:
        return f"{self.scheme}://{self.address}"


def endpoint(text: str, schemes: tuple[str, ...]) -> Endpoint:
    """The endpoint in a text. Raises BadInput naming it."""
    scheme, split, rest = text.partition("://")
    if not split or scheme not in schemes:
        wanted = " | ".join(f"{one}://ADDRESS:PORT" for one in schemes)
        raise BadInput(
            "listener-malformed",
            Words(f"监听地址不合格式:{text}", f"malformed listener: {text}"),
            Words(f"请写成 {wanted}", f"write {wanted}"),
            field="device",
        )
    return Endpoint(scheme, parse_address(rest))
