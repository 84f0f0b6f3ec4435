"""Raw packets behind an alert: ask the sensor for them, look at them, take them away as pcap."""

from typing import Annotated, Final

from fastapi import Depends, Path, Query, Response

from soc_api.packet_bodies import PacketPage, PacketRequestRow, PacketRequests
from soc_api.packet_request import PacketRequest
from soc_api.packet_view import page_of
from soc_api.routes.alerts import Group
from soc_api.routes.guard import Here, Veiled, Visitor, conflicts, needs, router
from soc_api.routes.recorded import recorded, taken
from soc_api.routes.registry import Within

packets = router("packets")

RequestId = Annotated[str, Path(pattern=r"^[0-9a-f]{32}$")]
PACKETS_MAX: Final = 200  # of one page
_PCAP: Final = "application/vnd.tcpdump.pcap"


def own_request(request: RequestId, reach: Within) -> str:
    """The request, if its alert is within reach. Raises Refused (packets-not-found, unit-scope)."""
    center = reach.center
    reach.unit(center.alerts.unit_of(center.packets.request(request).alert_group))
    return request


Request = Annotated[str, Depends(own_request)]
_REFUSES: Final = conflicts("The alert has no flow, or the packets have not come")


@packets.get(
    "/alerts/{group}/packets",
    summary="Packets asked for",
    response_model=PacketRequests,
    openapi_extra=needs("packets.read"),
)
def asked(group: Group, center: Here) -> PacketRequests:
    """What was asked for beside this alert, the newest first."""
    return _rows(center.packets.of_group(group))


@packets.post(
    "/alerts/{group}/packets",
    summary="Ask for the packets of an alert",
    response_model=PacketRequests,
    responses=_REFUSES,
    openapi_extra=needs("packets.read"),
)
def ask(group: Group, center: Here, visit: Visitor) -> PacketRequests:
    """Asks the sensors for the flows behind the alert's events; they answer when they are connected."""
    with recorded(center, visit, "packets.ask", group):
        found = center.packets.ask(group, visit.actor, center.clock())
    return _rows(found)


@packets.get(
    "/packets/{request}",
    summary="Packets taken apart",
    response_model=PacketPage,
    responses=_REFUSES,
    openapi_extra=needs("packets.read"),
)
def view(
    request: Request,
    center: Here,
    visit: Visitor,
    veil: Veiled,
    first: Annotated[int, Query(ge=0, le=1_000_000)] = 0,
    limit: Annotated[int, Query(ge=1, le=PACKETS_MAX)] = 50,
) -> PacketPage:
    """Some packets with their layers; reading them is audited. What people sent shows where names do."""
    with recorded(center, visit, "packets.read", request):
        found = center.packets.request(request)
        whole = center.packets.pcap(request)
    veiled = veil is not None and not veil.plain
    return page_of(_row(found), whole, first=first, limit=limit, veiled=veiled)


@packets.get(
    "/packets/{request}/pcap",
    summary="Packets as a capture file",
    response_class=Response,
    responses={200: {"content": {_PCAP: {"schema": {"type": "string", "format": "binary"}}}}, **_REFUSES},
    openapi_extra=needs("packets.read"),
)
def pcap(request: Request, center: Here, visit: Visitor, veil: Veiled) -> Response:
    """The pcap file, checked against its recorded SM3; for who sees names, since it goes out as it is."""
    if veil is not None:
        veil.need_names()
    with recorded(center, visit, "packets.download", request):
        whole = center.packets.pcap(request)
    # The file is byte for byte what the sensor sent, so the watermark stands in its name.
    name = f"liuhe-{request}-{taken(visit, center.clock())}.pcap"
    headers = {"Content-Disposition": f'attachment; filename="{name}"'}
    return Response(whole, media_type=_PCAP, headers=headers)


def _rows(found: list[PacketRequest]) -> PacketRequests:
    return PacketRequests(rows=[_row(one) for one in found])


def _row(found: PacketRequest) -> PacketRequestRow:
    return PacketRequestRow.model_validate(found, from_attributes=True)
