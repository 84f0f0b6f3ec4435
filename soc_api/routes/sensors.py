"""Sensors: how they do, what they could not keep, and letting them in, elsewhere and out."""

from typing import Annotated, Final

import msgspec
from fastapi import Depends, Path, Response

from soc_api.routes.guard import Here, Visitor, conflicts, needs, router
from soc_api.routes.recorded import recorded
from soc_api.routes.registry import Seen, Within
from soc_api.sensor_bodies import (
    MoveSensor,
    RevokeSensor,
    SensorDetail,
    SensorPage,
    SensorRow,
    SensorToken,
    TokenOrder,
)
from soc_api.sensor_port import SensorRowValue, TokenAsk

sensors = router("sensors")

SensorId = Annotated[str, Path(pattern=r"^[a-z0-9][a-z0-9._-]{0,62}$")]


def own_sensor(sensor: SensorId, reach: Within) -> str:
    """The sensor, if its unit is within reach. Raises Refused (sensor-not-found, unit-scope)."""
    if reach.scope.units is not None:
        reach.unit(reach.center.sensors.detail(sensor, reach.center.clock()).sensor.unit)
    return sensor


Sensor = Annotated[str, Depends(own_sensor)]
TokenId = Annotated[str, Path(pattern=r"^[0-9a-f]{1,64}$")]
_REFUSES: Final = conflicts("The sensor is not in use")


@sensors.get(
    "/sensors", summary="All sensors", response_model=SensorPage, openapi_extra=needs("sensors.read")
)
def page(center: Here, scope: Seen, visit: Visitor) -> SensorPage:
    """Every sensor of one's own units by id, those units, and the tokens nobody has used yet."""
    found = center.sensors.page(center.clock())
    if scope.units is not None:
        found = msgspec.structs.replace(
            found,
            rows=tuple(row for row in found.rows if scope.holds(row.unit)),
            units=tuple(unit for unit in found.units if scope.holds(unit.code)),
            tokens=tuple(token for token in found.tokens if scope.holds(token.unit)),
            unit=visit.account.unit,
        )
    return SensorPage.model_validate(found, from_attributes=True)


@sensors.get(
    "/sensors/{sensor}",
    summary="One sensor",
    response_model=SensorDetail,
    responses=_REFUSES,
    openapi_extra=needs("sensors.read"),
)
def detail(sensor: Sensor, center: Here) -> SensorDetail:
    """Its sources, its gaps with their records in the ledger, its certificate, what was decided about it."""
    return SensorDetail.model_validate(center.sensors.detail(sensor, center.clock()), from_attributes=True)


@sensors.post(
    "/sensors/tokens",
    summary="Make a token that enrols one sensor",
    response_model=SensorToken,
    status_code=201,
    openapi_extra=needs("sensors.manage"),
)
def give_token(
    body: TokenOrder, center: Here, visit: Visitor, reach: Within, response: Response
) -> SensorToken:
    """The only time the token is told: the center keeps a digest of its secret."""
    reach.unit(body.unit)
    response.headers["Cache-Control"] = "no-store"
    with recorded(center, visit, "sensor.token", f"unit:{body.unit} group:{body.group}"):
        ask = TokenAsk(
            kind=body.kind,
            unit=body.unit,
            group=body.group,
            addresses=tuple(body.addresses),
            hours=body.hours,
        )
        made = center.sensors.give_token(ask, visit.actor, center.clock())
    return SensorToken.model_validate(made, from_attributes=True)


@sensors.delete(
    "/sensors/tokens/{token}",
    summary="Withdraw a token",
    status_code=204,
    response_class=Response,
    responses=_REFUSES,
    openapi_extra=needs("sensors.manage"),
)
def withdraw(token: TokenId, center: Here, visit: Visitor, reach: Within) -> Response:
    """An open token enrols nobody any more."""
    for one in center.sensors.page(center.clock()).tokens if reach.scope.units is not None else ():
        if one.id == token:
            reach.unit(one.unit)
    with recorded(center, visit, "sensor.withdraw", f"token:{token}"):
        center.sensors.withdraw(token, center.clock())
    return Response(status_code=204)


@sensors.post(
    "/sensors/{sensor}/revoke",
    summary="Revoke a sensor",
    response_model=SensorRow,
    responses=_REFUSES,
    openapi_extra=needs("sensors.manage"),
)
def revoke(sensor: Sensor, body: RevokeSensor, center: Here, visit: Visitor) -> SensorRow:
    """Its certificate is refused from now on; an open connection ends within a minute."""
    with recorded(center, visit, "sensor.revoke", f"sensor:{sensor} {body.reason}"):
        after = center.sensors.revoke(sensor, body.reason, visit.actor, center.clock())
    return _row(after)


@sensors.post(
    "/sensors/{sensor}/move",
    summary="Move a sensor to another unit or group",
    response_model=SensorRow,
    responses=_REFUSES,
    openapi_extra=needs("sensors.manage"),
)
def move(sensor: Sensor, body: MoveSensor, center: Here, visit: Visitor, reach: Within) -> SensorRow:
    """What it sends from now on belongs to that unit; what is stored stays where it is."""
    reach.unit(body.unit)
    with recorded(center, visit, "sensor.move", f"sensor:{sensor} unit:{body.unit} group:{body.group}"):
        after = center.sensors.move(sensor, body.unit, body.group, visit.actor, center.clock())
    return _row(after)


@sensors.post(
    "/sensors/{sensor}/drain",
    summary="Drain a sensor",
    response_model=SensorRow,
    responses=_REFUSES,
    openapi_extra=needs("sensors.manage"),
)
def drain(sensor: Sensor, center: Here, visit: Visitor) -> SensorRow:
    """What it still has is taken; once a heartbeat says that nothing waits, everything is refused."""
    with recorded(center, visit, "sensor.drain", f"sensor:{sensor}"):
        after = center.sensors.drain(sensor, center.clock())
    return _row(after)


@sensors.post(
    "/sensors/{sensor}/resume",
    summary="Take a drained sensor up again",
    response_model=SensorRow,
    responses=_REFUSES,
    openapi_extra=needs("sensors.manage"),
)
def resume(sensor: Sensor, center: Here, visit: Visitor) -> SensorRow:
    """Ends draining: everything is taken again."""
    with recorded(center, visit, "sensor.resume", f"sensor:{sensor}"):
        after = center.sensors.resume(sensor, center.clock())
    return _row(after)


def _row(after: SensorRowValue) -> SensorRow:
    return SensorRow.model_validate(after, from_attributes=True)
