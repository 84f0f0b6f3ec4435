"""Datagrams, and who reads them: by port where a dialect names one, by first byte on every other."""

from collections.abc import Sequence
from typing import Final

from sensors.network.dialect import DatagramDialect, Message, Talk, by_first_byte
from sensors.network.flow import Flow

MISSES_MAX: Final = 8  # datagrams of a flow in a row nobody understood; then only its ports are asked


class Datagrams:
    """The readers of one capture."""

    def __init__(self, dialects: Sequence[DatagramDialect]) -> None:
        by_port: dict[int, list[DatagramDialect]] = {}
        for dialect in dialects:
            for port in dialect.ports or ():
                by_port.setdefault(port, []).append(dialect)
        self._by_port = {port: tuple(found) for port, found in by_port.items()}
        anywhere = [dialect for dialect in dialects if dialect.ports is None or dialect.elsewhere]
        index = by_first_byte([dialect.first_bytes for dialect in anywhere])
        self._anywhere = tuple(tuple(anywhere[place] for place in places) for places in index)
        self._failed = 0

    def read(self, flow: Flow, payload: bytes, talk: Talk) -> Sequence[Message]:
        """What the datagram tells; nothing where no dialect takes it."""
        sender, receiver = talk.ports
        known = self._by_port.get(receiver) or self._by_port.get(sender)
        if known is None:
            if flow.deaf >= MISSES_MAX:
                return ()
            known = self._anywhere[payload[0]]
            if not known:
                return ()
        else:
            known = (*known, *self._anywhere[payload[0]]) if flow.deaf < MISSES_MAX else known
        talk.memory = flow.memory
        for dialect in known:
            if dialect.first_bytes is not None and payload[0] not in dialect.first_bytes:
                continue
            try:
                messages = dialect.read(payload, talk)
            except Exception:  # noqa: BLE001 - a dialect's mistake costs this datagram, not the capture
                self._failed += 1
                continue
            if messages is not None:
                flow.deaf = 0
                flow.memory = talk.memory
                return messages
        flow.deaf += flow.deaf < MISSES_MAX
        return ()

    def counts(self) -> dict[str, int]:
        """Losses so far."""
        return {"readers_failed": self._failed}
