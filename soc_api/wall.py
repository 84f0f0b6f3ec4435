"""The numbers of the wall display, made once for all screens that ask within a few seconds.

A screen in a room tells nobody's name: alerts appear by the title of their rule and their city, orders by
their number and check.
"""

import threading
from collections import Counter
from collections.abc import Iterable
from datetime import datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Final

from compliance.notice import Notice, Receipt
from compliance.order import Order, statistics
from crypto.words import Words
from detection.alert import SEVERITIES, Severity
from detection.store.shift_store import PlaceCount, ShiftStore
from soc_api.bodies import Text
from soc_api.errors import text
from soc_api.figures import (
    ORDERS_SPAN,
    events_last_hour,
    incident_figures,
    late_incidents,
    notice_deadline,
    open_receipts,
    orders_in_sight,
)
from soc_api.sensor_port import SensorRowValue
from soc_api.site_map import SiteMap
from soc_api.wall_bodies import WallAlert, WallDue, WallLayer, WallPage, WallTile
from soc_api.wall_rules import Strain, Tile, WallRules

if TYPE_CHECKING:
    from soc_api.context import Center

HOLD: Final = timedelta(seconds=4)
SCOPES_MAX: Final = 64
FLOW_MAX: Final = 24
DUE_MAX: Final = 40
PROVINCE: Final = "3200"
_CODE: Final = 4  # digits of a city in a unit's code
_PROVINCIAL: Final = Words("省级", "Province")
_ELSEWHERE: Final = Words("其他", "Elsewhere")
_NOTICE: Final = Words("通报", "Notice")
_INCIDENT: Final = Words("安全事件报送", "Incident report")

Units = frozenset[str] | None


class Wall:
    """Safe to share between threads."""

    def __init__(self, shift: ShiftStore, rules: WallRules, folder: Path) -> None:
        """``folder`` may hold an approved map of the site."""
        self.shift = shift
        self.map = SiteMap(folder)
        self._rules = rules
        self._names = {tile.code: Words(tile.zh, tile.en) for tile in rules.tiles} | {PROVINCE: _PROVINCIAL}
        self._lock = threading.Lock()
        self._made: dict[Units, WallPage] = {}

    def page(self, center: "Center", units: Units, now: datetime) -> WallPage:
        """The numbers of these units; at most a few seconds old."""
        with self._lock:
            kept = self._made.get(units)
            if kept is not None and timedelta() <= now - kept.time < HOLD:
                return kept
            if len(self._made) >= SCOPES_MAX:
                self._made.clear()
            made = self._made[units] = self._make(center, units, now)
            return made

    def _make(self, center: "Center", units: Units, now: datetime) -> WallPage:
        places = self.shift.places(units)
        sensors = [row for row in center.sensors.page(now).rows if row.standing != "revoked"]
        sensors = [row for row in sensors if units is None or row.unit in units]
        online = sum(row.state == "online" for row in sensors)
        total: Counter[Severity] = Counter()
        for one in places:
            total[one.severity] += one.groups
        orders, incidents = orders_in_sight(center, units, now), incident_figures(center, units, now)
        figures = statistics(orders, now - ORDERS_SPAN, now + timedelta(microseconds=1))
        silent = sum(row.state == "silent" for row in sensors)
        colour, why = self._rules.colour(
            Strain(
                critical=total["critical"],
                waiting=self.shift.untouched("critical", units),
                high=total["high"],
                overdue=figures.overdue,
                silent_percent=100 * silent // len(sensors) if sensors else 0,
            )
        )
        flow = self.shift.flow(now, 24, units)
        signed, owed = center.ledger.latest(), list(open_receipts(center, units))
        return WallPage(
            time=now,
            center=center.name,
            colour=colour,
            why=[text(one) for one in why],
            open_alerts={name: total[name] for name in SEVERITIES},
            alerts_last_day=center.alerts.per_hour(now, 24, units),
            opened=list(flow.opened),
            closed=list(flow.closed),
            tiles=[self._tile(tile.code, tile, places, sensors) for tile in self._rules.tiles],
            province=self._tile(PROVINCE, None, places, sensors),
            flow=self._flow(units),
            layers=_layers(center, units, now),
            orders_open=figures.open,
            orders_overdue=figures.overdue,
            notices_open=len({notice.id for notice, _ in owed}),
            notices_overdue=sum(receipt.overdue(now) for _, receipt in owed),
            incidents_open=incidents.active,
            incidents_overdue=incidents.overdue,
            due=sorted(
                [*self._due(center, orders, owed, now), *self._owing(center, units, now)],
                key=lambda one: (one.deadline, one.number),
            )[:DUE_MAX],
            sensors_online=online,
            sensors_total=len(sensors),
            events_last_hour=events_last_hour(center, now, units),
            held_day=_held(center, units, now),
            ledger_size=signed.checkpoint.size if signed else 0,
            map_approval=self.map.approval(),
        )

    def _tile(
        self, code: str, tile: Tile | None, places: Iterable[PlaceCount], sensors: Iterable[SensorRowValue]
    ) -> WallTile:
        open_groups: Counter[Severity] = Counter()
        for one in places:
            if self._code(one.unit) == code:
                open_groups[one.severity] += one.groups
        mine = [row for row in sensors if self._code(row.unit) == code]
        return WallTile(
            code=code,
            name=text(self._names[code]),
            column=tile.column if tile else None,
            row=tile.row if tile else None,
            groups=open_groups.total(),
            worst=next((name for name in reversed(SEVERITIES) if open_groups[name]), None),
            open=dict(open_groups),
            sensors=len(mine),
            sensors_online=sum(row.state == "online" for row in mine),
        )

    def _flow(self, units: Units) -> list[WallAlert]:
        return [
            WallAlert.model_validate(
                {
                    "id": row.id,
                    "time": row.time,
                    "severity": row.severity,
                    "title": text(row.title),
                    "place": self._place(row.unit),
                    "state": row.state,
                    "count": row.count,
                }
            )
            for row in self.shift.newest(units, FLOW_MAX)
        ]

    def _owing(self, center: "Center", units: Units, now: datetime) -> list[WallDue]:
        """Incidents that owe a report; what they are called is for those who work on them."""
        return [
            WallDue(
                kind="incident",
                number=one.number,
                title=text(_INCIDENT),
                place=self._place(one.unit),
                deadline=due,
            )
            for one, due in late_incidents(center, units, now)
        ]

    def _due(
        self, center: "Center", orders: Iterable[Order], owed: Iterable[tuple[Notice, Receipt]], now: datetime
    ) -> list[WallDue]:
        """Orders and notices that are late; a notice's own title is for those it is addressed to."""
        if center.enforcement is None or center.registry is None:
            return []
        notices = [
            WallDue(
                kind="notice",
                number=notice.number,
                title=text(_NOTICE),
                place=self._place(receipt.unit),
                deadline=notice_deadline(receipt) or now,
            )
            for notice, receipt in owed
            if receipt.overdue(now)
        ]
        unit_of = {one.id: one.unit for one in center.registry.registry.systems()}
        late = [one for one in orders if one.overdue(now)]
        checks = center.enforcement.checks
        found = [
            WallDue(
                kind="order",
                number=one.number,
                title=text(checks[one.check].title)
                if one.check in checks
                else Text(zh=one.check, en=one.check),
                place=self._place(unit_of.get(one.system, "")),
                deadline=one.deadline,
            )
            for one in late
        ]
        return [*found, *notices]

    def _code(self, unit: str) -> str:
        """The city a unit belongs to; what is no city of the diagram counts as the province's."""
        code = unit[:_CODE]
        return code if code in self._names else PROVINCE

    def _place(self, unit: str) -> Text:
        return text(self._names.get(unit[:_CODE], _ELSEWHERE))


def _layers(center: "Center", units: Units, now: datetime) -> list[WallLayer]:
    counted: dict[str, Counter[str]] = {}
    systems = [""]
    if units is not None and center.registry is not None:
        systems = [one.id for one in center.registry.registry.systems(units)]
    for system in systems:
        for layer in center.compliance.check_page(now, system).layers:
            counted.setdefault(layer.layer, Counter()).update(layer.counts)
    return [
        WallLayer(
            layer=layer,
            compliant=counts["符合"],
            partial=counts["部分符合"],
            violated=counts["不符合"],
            unknown=counts["未知"],
        )
        for layer, counts in counted.items()
    ]


def _held(center: "Center", units: Units, now: datetime) -> int:
    if center.exceptions is None:
        return 0
    return center.exceptions.store.held_since(now - timedelta(hours=24), units)
