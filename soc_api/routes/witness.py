"""Witnessing: checkpoints of other ledgers to cosign (C2SP tlog-witness), how far our own is cosigned."""

from typing import Annotated, Any, Final

from fastapi import Depends, Request, Response
from starlette.concurrency import run_in_threadpool

from crypto.words import BadInput, Refused, Words
from soc_api.bodies import Text, WitnessAlarm, WitnessedLog, WitnessRow, WitnessState
from soc_api.context import Center
from soc_api.evidence_scope import scope_of_evidence
from soc_api.routes.guard import Here, Visitor, center_of, needs, router
from soc_api.witnessing import Witnessing

witness = router("evidence")

_STRING: Final = {"schema": {"type": "string"}}
_BODY: Final = {"requestBody": {"required": True, "content": {"text/plain": _STRING}}}
_ANSWERS: Final[dict[int | str, dict[str, Any]]] = {
    200: {"content": {"text/plain": _STRING}, "description": "The cosignature lines"},
    400: {"description": "The body is malformed"},
    403: {"description": "Not signed by the key this log is known with"},
    404: {"description": "This center does not witness that log"},
    409: {"content": {"text/x.tlog.size": _STRING}, "description": "Another size was seen last: this one"},
}


def _witnessing(center: Annotated[Center, Depends(center_of)]) -> Witnessing:
    if center.witnessing is None:
        raise Refused(
            "witness-not-found",
            Words("本中心不提供见证", "this center is no witness"),
            Words("请向其他中心请求", "ask another center"),
        )
    return center.witnessing


Witness = Annotated[Witnessing, Depends(_witnessing)]


@witness.post(
    "/witness/add-checkpoint",
    summary="Have a checkpoint cosigned",
    response_class=Response,
    responses=_ANSWERS,
    openapi_extra={**needs(None), **_BODY},
)
async def add_checkpoint(request: Request, center: Here, witnessing: Witness) -> Response:
    """Open to anyone: only a checkpoint signed by a log of the list, and proven to extend the last, counts.

    422 where the proof does not hold; what was cosigned is durable before the answer.
    """
    body = await request.body()
    try:
        answer = await run_in_threadpool(witnessing.add_checkpoint, body, center.clock())
    except BadInput as error:
        return Response(f"{error.what.en}\n", 400, media_type="text/plain")
    return Response(answer.body, answer.status, headers={"Content-Type": answer.type})


@witness.get(
    "/witness",
    summary="How far the own ledger is cosigned",
    response_model=WitnessState,
    openapi_extra=needs("evidence.read"),
)
def state(witnessing: Witness, center: Here, visit: Visitor) -> WitnessState:
    """The quorum's newest checkpoint, since when leaves wait for one, and each witness.

    Other ledgers and alarms are for accounts of the center's own unit.
    """
    whole = scope_of_evidence(center, visit).units is None
    found = witnessing.witnessed()
    return WitnessState(
        key=witnessing.verifier.line(),
        quorum=found.quorum,
        size=found.size,
        time=found.time,
        unwitnessed_since=found.unwitnessed_since,
        waits_since=witnessing.waits_since(found),
        patience_minutes=int(witnessing.patience.total_seconds() // 60),
        logs=[WitnessedLog(origin=one.origin, size=one.size) for one in witnessing.watched() if whole],
        alarms=[
            WitnessAlarm.model_validate(one._asdict(), from_attributes=True)
            for one in witnessing.alarms()
            if whole
        ],
        witnesses=[
            WitnessRow(
                witness=one.witness,
                size=one.size,
                time=one.time,
                problem=Text(zh=one.problem.zh, en=one.problem.en) if one.problem else None,
            )
            for one in found.witnesses
        ],
    )
