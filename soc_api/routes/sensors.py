"""Sensors with their health, last sequence and gaps."""

from collections import defaultdict
from typing import Final

from detection.store.inventory import Gap, SensorState
from soc_api.bodies import GapRow, SensorPage, SensorRow, SourceRow
from soc_api.context import EnrolledSensor
from soc_api.errors import text
from soc_api.routes.guard import Here, needs, router

sensors = router("sensors")

GAPS_MAX: Final = 500  # read for the whole page, newest first


@sensors.get(
    "/sensors", summary="All sensors", response_model=SensorPage, openapi_extra=needs("sensors.read")
)
def page(center: Here) -> SensorPage:
    """Every enrolled sensor: online, silent, or never heard of since it was enrolled."""
    gaps: dict[str, list[Gap]] = defaultdict(list)
    for gap in center.inventory.gaps(limit=GAPS_MAX):
        gaps[gap.sensor].append(gap)
    known = center.inventory.sensors(center.clock())
    heard = {state.sensor for state in known}
    rows = [_row(state, gaps[state.sensor]) for state in known]
    rows += [_never(sensor) for sensor in center.enrolled() if sensor.id not in heard]
    return SensorPage(rows=sorted(rows, key=lambda row: row.id))


def _row(state: SensorState, gaps: list[Gap]) -> SensorRow:
    return SensorRow(
        id=state.sensor,
        kind=state.kind,
        unit=state.unit,
        host=state.host,
        version=state.version,
        state=state.state,
        last_seen=state.last_seen,
        last_sequence=state.last_sequence,
        backlog=state.backlog,
        events=state.events,
        gaps=[GapRow.model_validate(gap, from_attributes=True) for gap in gaps],
        sources=[
            SourceRow(name=source.name, state=source.state, detail=text(source.detail))
            for source in state.sources
        ],
        cpu_percent=state.cpu_percent,
        rss_bytes=state.rss_bytes,
    )


def _never(sensor: EnrolledSensor) -> SensorRow:
    return SensorRow(
        id=sensor.id,
        kind=sensor.kind,
        unit=sensor.unit,
        host=sensor.host,
        version="",
        state="never",
        last_seen=None,
        last_sequence=0,
        backlog=0,
        events=0,
        gaps=[],
        sources=[],
        cpu_percent=0.0,
        rss_bytes=0,
    )
