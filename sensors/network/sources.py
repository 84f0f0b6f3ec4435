"""The network sensor's sources: one capture per interface, one dissect worker and one self-test for all."""

from pathlib import Path
from typing import Final

import msgspec

from sensors.network.capture import CaptureSource, interfaces_of
from sensors.network.dissect import DissectSource
from sensors.network.packet_ring import PacketRing
from sensors.network.secret import load_key, mark_key
from sensors.network.self_test import SelfTestSource
from sensors.network.settings import NetworkSettings
from sensors.source import Source

PACKETS_FOLDER: Final = "packets"


def network_sources(settings: NetworkSettings, data: Path | None = None) -> list[Source]:
    """The sources these settings ask for, whether or not they can run: ``missing`` says so.

    ``data`` is the sensor's folder, for its key and the ring of raw packets; without it neither is used. What
    bounds memory and disk is shared out among the interfaces.
    """
    dissect = DissectSource(settings) if settings.dissect else None
    offer = dissect.offer if dissect is not None and dissect.missing() is None else None
    key = load_key(data / "keys") if data is not None else b""
    interfaces = interfaces_of(settings)
    share = max(1, len(interfaces))
    mine = msgspec.structs.replace(
        settings,
        flow_entries_max=max(1, settings.flow_entries_max // share),
        flow_bytes_max=settings.flow_bytes_max // share,
    )
    sources: list[Source] = []
    for interface in interfaces:
        ring = None
        if data is not None and settings.packet_ring_bytes:
            folder = data / PACKETS_FOLDER / interface
            ring = PacketRing(folder, key, bytes_max=settings.packet_ring_bytes // share)
        marks = mark_key(key) if key else b""
        sources.append(CaptureSource(mine, interface, offer=offer, ring=ring, secret=marks))
    if dissect is not None:
        sources += [dissect, SelfTestSource()]
    return sources
