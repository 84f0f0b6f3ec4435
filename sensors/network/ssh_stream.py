"""SSH as a dialect: who speaks which software, what they agreed on, HASSH of both, the server's host key.

Events of ``net.ssh`` by ``event.action``: client-banner, server-banner, key-exchange (once both lists are
known, or one where the other direction is not seen), host-key.
"""

from base64 import b64encode
from collections.abc import Sequence
from hashlib import md5, sha256
from typing import Final

from sensors.event import Value
from sensors.network.dialect import Message, StreamClaim, Talk
from sensors.network.ssh import KEX_INIT, REPLIES, KexInit, Side, chosen, host_key, parse_kex_init

_MAGIC: Final = b"SSH-"


class SshStream:
    """One connection."""

    def __init__(self, talk: Talk) -> None:
        self.done = False
        self._sides = (Side(), Side())
        self._server_side = 1 if talk.ports[0] != 22 or talk.side == 1 else 0
        self._inits: list[KexInit | None] = [None, None]
        self._told = [False, False]  # the banner
        self._agreed = self._key_told = False

    def feed(self, side: int, data: bytes) -> Sequence[Message]:
        """Take in the next bytes of a side."""
        messages: list[Message] = []
        here = self._sides[side]
        packets = here.feed(data)
        if here.banner and not self._told[side]:
            self._told[side] = True
            messages.append(self._banner(side))
        for kind, payload in packets:
            if kind == KEX_INIT:
                self._inits[side] = self._inits[side] or parse_kex_init(payload)
            alone = kind != KEX_INIT and not self._sides[1 - side].banner
            if not self._agreed and (all(self._inits) or (alone and any(self._inits))):
                self._agreed = True
                messages.append(self._agreement(side))
            if kind in REPLIES and side == self._server_side and not self._key_told:
                messages += self._key(payload)
        if self._sides[0].done and self._sides[1].done:
            self.done = True
        return messages

    def _names(self) -> tuple[dict[str, Value], dict[str, Value]]:
        client, server = self._sides[1 - self._server_side].banner, self._sides[self._server_side].banner
        fields: dict[str, Value] = {}
        native: dict[str, Value] = {}
        for name, banner in (("client", client), ("server", server)):
            if banner:
                fields[f"gov.ssh.{name}.banner"] = banner
        version = _version(client, server)
        if version:
            fields["network.protocol_version"] = str(version)
            native["version"] = version
        return fields, native

    def _banner(self, side: int) -> Message:
        fields, native = self._names()
        who = "server" if side == self._server_side else "client"
        fields["event.action"] = f"{who}-banner"
        native[who] = self._sides[side].banner  # in this message only: a rule matches it once
        return self._message(fields, native, side)

    def _agreement(self, side: int) -> Message:
        fields, native = self._names()
        fields["event.action"] = "key-exchange"
        client, server = self._inits[1 - self._server_side], self._inits[self._server_side]
        if client is not None:
            fields["gov.ssh.hassh"] = native["hassh"] = client.hassh(server=False)
        if server is not None:
            fields["gov.ssh.hassh_server"] = native["hasshServer"] = server.hassh(server=True)
        if client is not None and server is not None:
            agreed = {
                "kex_alg": chosen(client.kex, server.kex),
                "host_key_alg": chosen(client.host_key, server.host_key),
                "cipher_alg": _both(
                    chosen(client.cipher_c2s, server.cipher_c2s), chosen(client.cipher_s2c, server.cipher_s2c)
                ),
                "mac_alg": _both(
                    chosen(client.mac_c2s, server.mac_c2s), chosen(client.mac_s2c, server.mac_s2c)
                ),
                "compression_alg": _both(
                    chosen(client.compression_c2s, server.compression_c2s),
                    chosen(client.compression_s2c, server.compression_s2c),
                ),
            }
            native |= agreed
            fields |= {f"gov.ssh.{name.removesuffix('_alg')}": value for name, value in agreed.items()}
        return self._message(fields, native, side)

    def _key(self, payload: bytes) -> list[Message]:
        found = host_key(payload)
        if found is None:
            return []
        kind, blob = found
        self._key_told = True
        fields, native = self._names()
        digits = md5(blob, usedforsecurity=False).hexdigest()
        print_ = b64encode(sha256(blob).digest()).decode("ascii").rstrip("=")
        fields |= {
            "event.action": "host-key",
            "gov.ssh.host_key.type": kind,
            "gov.ssh.host_key.sha256": f"SHA256:{print_}",
        }
        native["host_key"] = ":".join(digits[at : at + 2] for at in range(0, 32, 2))
        return [self._message(fields, native, self._server_side)]

    def _message(self, fields: dict[str, Value], native: dict[str, Value], side: int) -> Message:
        return Message("net.ssh", "ssh", fields, native, reply=side == self._server_side)


def _both(to_server: str, to_client: str) -> str:
    """One algorithm, or both where the directions differ, as Zeek writes it."""
    if to_server == to_client:
        return to_server
    return f"To server: {to_server}, to client: {to_client}"


def _version(client: str, server: str) -> int:
    """The protocol version in force, 0 while only one side has spoken."""
    if not client or not server:
        return 0
    return 2 if all(one.startswith(("SSH-2.", "SSH-1.99-")) for one in (client, server)) else 1


def claims_ssh(data: bytes, _talk: Talk) -> bool | None:
    """Whether an identification line begins here."""
    if len(data) < len(_MAGIC) + 1:
        return None if _MAGIC.startswith(data[:4]) else False
    return data[:4] == _MAGIC and data[4:5] in b"12"


SSH: Final = StreamClaim("ssh", claims_ssh, SshStream, first_bytes=frozenset(_MAGIC[:1]))
