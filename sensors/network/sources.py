"""The network sensor's sources: one capture per interface, one dissect worker for all of them."""

from sensors.network.capture import CaptureSource, interfaces_of
from sensors.network.dissect import DissectSource
from sensors.network.settings import NetworkSettings
from sensors.source import Source


def network_sources(settings: NetworkSettings) -> list[Source]:
    """The sources these settings ask for, whether or not they can run: ``missing`` says so."""
    dissect = DissectSource(settings) if settings.dissect else None
    offer = dissect.offer if dissect is not None and dissect.missing() is None else None
    sources: list[Source] = [
        CaptureSource(settings, interface, offer=offer) for interface in interfaces_of(settings)
    ]
    if dissect is not None:
        sources.append(dissect)
    return sources
