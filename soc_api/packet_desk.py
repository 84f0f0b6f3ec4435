"""Raw packets for an alert: the console asks, the listener passes the wish to the sensor, the answer is kept.

The API process and the listener's meet only in the table of requests and in the sealed files.
"""

import secrets
import threading
from collections.abc import Callable, Sequence
from datetime import datetime
from typing import Final

from crypto.sm3 import Sm3
from crypto.words import LiuheError, Refused, Words
from detection.store.alert_store import AlertStore
from sensors.messages import PacketsFound, PacketsWanted, malformed
from soc_api.packet_files import PacketFiles
from soc_api.packet_request import PacketRequest, State, flows_of
from soc_api.packet_store import PacketStore

FILE_BYTES_MAX: Final = 32 * 1024 * 1024
NO_PACKETS: Final = "no-packets"  # the sensor keeps none
_PCAP_HEAD_BYTES: Final = 24


class PacketDesk:
    """The console's side: ask, look, open."""

    def __init__(self, store: PacketStore, files: PacketFiles, alerts: AlertStore) -> None:
        self._store = store
        self._files = files
        self._alerts = alerts

    def ask(self, group: str, actor: str, now: datetime) -> list[PacketRequest]:
        """Ask for the flows of an alert group that are not on their way yet.

        Raises Refused (alert-not-found, packets-no-flow).
        """
        flows = flows_of(record.alert for record in self._alerts.detail(group).alerts)
        if not flows:
            raise Refused(
                "packets-no-flow",
                Words("这组告警的事件不属于任何网络流", "no event of this group belongs to a network flow"),
                Words(
                    "只有网络传感器所见的流可以取包", "packets exist only of flows that a network sensor saw"
                ),
                field=group,
            )
        under_way = {
            (one.sensor, one.community_id) for one in self._store.of_group(group) if one.state == "wanted"
        }
        for flow in flows:
            if (flow.sensor, flow.community_id) not in under_way:
                self._store.ask(
                    PacketRequest(
                        id=secrets.token_hex(16),
                        alert_group=group,
                        sensor=flow.sensor,
                        community_id=flow.community_id,
                        begins=flow.begins,
                        ends=flow.ends,
                        actor=actor,
                        asked=now,
                        state="wanted",
                    )
                )
        return self.of_group(group)

    def of_group(self, group: str) -> list[PacketRequest]:
        """What was asked for, the newest first."""
        return self._store.of_group(group)

    def request(self, identifier: str) -> PacketRequest:
        """One of them. Raises Refused (packets-not-found)."""
        found = self._store.request(identifier)
        if found is None:
            raise Refused(
                "packets-not-found",
                Words("没有这次取包", "nobody asked for these packets"),
                Words("请从告警中取包", "ask for packets beside an alert"),
                field=identifier,
            )
        return found

    def pcap(self, identifier: str) -> bytes:
        """The pcap file, as it came. Raises Refused, LiuheError (packets-gone, packets-damaged)."""
        request = self.request(identifier)
        if request.state != "arrived":
            raise Refused(
                "packets-absent",
                Words("报文尚未取到", "the packets have not come"),
                Words("请查看这次取包的状态", "see the state of this request"),
                field=identifier,
            )
        whole = b"".join(self._files.read(identifier))
        if Sm3(whole).hexdigest() != request.sm3:
            raise LiuheError(
                "packets-damaged",
                Words("保留的报文已损坏", "the packets kept are damaged"),
                Words("请重新取包", "ask for them again"),
                field=identifier,
            )
        return whole

    def revision(self) -> int:
        """Rises when a list of requests would show something new."""
        return self._store.revision()


class PacketCounter:
    """The listener's side: which wishes are open, and what sensors answer; blocking calls."""

    def __init__(self, store: PacketStore, files: PacketFiles, now: Callable[[], datetime]) -> None:
        self._store = store
        self._files = files
        self._now = now
        self._lock = threading.Lock()
        self._coming: dict[str, _Coming] = {}

    def wanted(self) -> dict[str, list[PacketsWanted]]:
        """By sensor; a sensor is told again until it answers, it knows what it has heard."""
        found: dict[str, list[PacketsWanted]] = {}
        for one in self._store.wanted(self._now()):
            wish = PacketsWanted(
                request=one.id,
                community_id=one.community_id,
                begins=max(one.begins.timestamp(), 0.0),
                ends=one.ends.timestamp(),
            )
            found.setdefault(one.sensor, []).append(wish)
        return found

    def none_kept(self, wishes: Sequence[PacketsWanted]) -> None:
        """The sensor keeps no packets."""
        for wish in wishes:
            self._store.finish(wish.request, "failed", self._now(), reason=NO_PACKETS)

    def take(self, sensor: str, found: PacketsFound) -> None:
        """A part of an answer. Raises BadInput where it was not asked for or is out of order."""
        with self._lock:
            coming = self._coming.get(found.request)
            if found.part == 0:
                request = self._store.request(found.request)
                if request is None or request.sensor != sensor:
                    raise malformed("packets that this sensor was not asked for", "request")
                if request.state != "wanted":
                    return  # given up meanwhile
                coming = self._coming[found.request] = _Coming(sensor)
            if coming is None or coming.sensor != sensor or coming.parts != found.part:
                raise malformed("packets out of order", "part")
            coming.parts += 1
            coming.size += len(found.body)
            coming.digest.update(found.body)
            try:
                self._keep(found, coming)
            except (OSError, LiuheError) as error:
                self._end(found.request, "failed", reason=str(error)[:500])

    def _keep(self, found: PacketsFound, coming: "_Coming") -> None:
        if coming.size > FILE_BYTES_MAX:
            self._end(found.request, "failed", reason=f"more than {FILE_BYTES_MAX} bytes")
            return
        self._files.append(found.request, found.part, found.body)
        if found.more:
            return
        if found.reason:
            self._end(found.request, "failed", reason=found.reason)
        elif coming.size <= _PCAP_HEAD_BYTES:
            self._end(found.request, "empty")
        else:
            self._files.finish(found.request)
            del self._coming[found.request]
            digest = coming.digest.hexdigest()
            self._store.finish(found.request, "arrived", self._now(), size=coming.size, sm3=digest)

    def _end(self, request: str, state: State, *, reason: str = "") -> None:
        self._coming.pop(request, None)
        self._files.discard(request)
        self._store.finish(request, state, self._now(), reason=reason)


class _Coming:
    """An answer of which the last part has not come."""

    def __init__(self, sensor: str) -> None:
        self.sensor = sensor
        self.parts = self.size = 0
        self.digest = Sm3()
