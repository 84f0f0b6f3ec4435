"""The numbers of the first page."""

from collections import Counter
from typing import Final

from soc_api.bodies import Overview, Verdict
from soc_api.errors import text
from soc_api.figures import events_last_hour
from soc_api.routes.guard import Here, needs, router
from soc_api.routes.registry import Desk, Seen

overview = router("overview")

VERDICTS: Final[tuple[Verdict, ...]] = ("符合", "部分符合", "不符合", "不适用", "未知")


@overview.get(
    "/overview", summary="The first page", response_model=Overview, openapi_extra=needs("overview.read")
)
def numbers(center: Here, scope: Seen, desk: Desk) -> Overview:
    """Counts only: no name, address or event, so that it may hang on a wall; of one's own units."""
    now, units = center.clock(), scope.units
    counts = center.alerts.counts(units).open_severities
    sensors_online, sensors_total = center.sensors.counts(now, units)
    verdicts = Counter[str]()
    for system in [""] if units is None else [one.id for one in desk.registry.systems(units)]:
        for layer in center.compliance.check_page(now, system).layers:
            verdicts.update(layer.counts)
    signed = center.ledger.latest()
    return Overview(
        open_alerts={
            "informational": counts.get("informational", 0),
            "low": counts.get("low", 0),
            "medium": counts.get("medium", 0),
            "high": counts.get("high", 0),
            "critical": counts.get("critical", 0),
        },
        events_last_hour=events_last_hour(center, now, units),
        alerts_last_day=center.alerts.per_hour(now, 24, units),
        sensors_online=sensors_online,
        sensors_total=sensors_total,
        verdicts={verdict: verdicts[verdict] for verdict in VERDICTS},
        ledger_size=signed.checkpoint.size if signed else 0,
        ledger_root=signed.checkpoint.root.hex() if signed else "",
        anomaly_state=text(center.anomaly()),
    )
