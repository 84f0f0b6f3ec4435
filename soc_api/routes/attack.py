"""The ATT&CK matrix: which techniques the detections of this center name, and what they raised."""

from datetime import timedelta
from typing import Annotated, Final

from fastapi import Path, Query

from crypto.words import Refused, Words
from detection.attack import VERSION, built_in, techniques
from detection.sigma.tactics import TACTICS
from soc_api.attack_view import Detection, covered, detections_of, matrix, unnamed
from soc_api.bodies import AlertGroup
from soc_api.context import Center
from soc_api.entity_bodies import AttackDetail, AttackPage, AttackTactic
from soc_api.errors import text
from soc_api.routes.guard import Here, conflicts, needs, router
from soc_api.routes.registry import Seen
from soc_api.unit_scope import UnitScope

attack = router("rules")

GROUPS_MAX: Final = 50
Days = Annotated[int, Query(ge=1, le=365)]
TechniqueId = Annotated[str, Path(pattern=r"^T[0-9]{4}(\.[0-9]{3})?$")]


@attack.get(
    "/attack", summary="The ATT&CK matrix", response_model=AttackPage, openapi_extra=needs("rules.read")
)
def page(center: Here, scope: Seen, days: Days = 30) -> AttackPage:
    """Tactics and techniques with the detections that name them, and the alerts of one's own units."""
    found = _detections(center, scope, days)
    columns = matrix(techniques(), found)
    count, running = covered(columns)
    return AttackPage(
        days=days,
        version=VERSION,
        tactics=[AttackTactic.model_validate(column, from_attributes=True) for column in columns],
        techniques=count,
        covered=running,
        unnamed=unnamed(techniques(), found),
    )


@attack.get(
    "/attack/{technique}",
    summary="One technique",
    response_model=AttackDetail,
    responses=conflicts("Never"),
    openapi_extra=needs("rules.read"),
)
def detail(technique: TechniqueId, center: Here, scope: Seen, days: Days = 30) -> AttackDetail:
    """The detections that name it or a sub-technique of it, and the groups they raised last."""
    known = techniques().get(technique)
    ours = [
        one
        for one in _detections(center, scope, days)
        if any(name == technique or name.partition(".")[0] == technique for name in one.attack)
    ]
    if known is None and not ours:
        raise Refused(
            "technique-not-found",
            Words("没有这个技术编号", "there is no such technique"),
            Words("请从矩阵中选择", "choose it from the matrix"),
            field=technique,
        )
    assert center.hunts is not None
    groups = [
        group
        for one in ours
        if one.hits
        for group in center.hunts.hits.latest(one.id, GROUPS_MAX, scope.units)
    ]
    groups.sort(key=lambda group: group.last_seen, reverse=True)
    name = known.name if known else Words(technique, technique)
    return AttackDetail.model_validate(
        {
            "id": technique,
            "name": text(name),
            "tactics": [text(TACTICS[tactic]) for tactic in (known.tactics if known else ())],
            "detections": ours,
            "groups": [AlertGroup.model_validate(one, from_attributes=True) for one in groups[:GROUPS_MAX]],
        },
        from_attributes=True,
    )


def _detections(center: Center, scope: UnitScope, days: int) -> list[Detection]:
    assert center.hunts is not None
    now = center.clock()
    hits = center.hunts.hits.hits(now - timedelta(days=days), scope.units)
    recent = {rule: one.recent for rule, one in hits.items()}
    return detections_of(center.rules.page(now, scope.units).rows, built_in(), recent)
