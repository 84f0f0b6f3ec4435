"""Models of unusual windows: their versions, how they fare, what was done with them, and one step back."""

from datetime import UTC, datetime, timedelta
from typing import Annotated

from fastapi import Depends, Path

from detection.anomaly.learning import Share, Standing, model_words
from detection.anomaly.refit import Realised
from soc_api.errors import text
from soc_api.evidence_scope import need_center
from soc_api.model_bodies import (
    ModelAct,
    ModelDecision,
    ModelKind,
    ModelPage,
    ModelRole,
    ModelShare,
    ModelVersion,
    RankerState,
)
from soc_api.model_desk import Kind, ModelDesk, Version
from soc_api.routes.anomalies import Desk
from soc_api.routes.guard import Here, Visitor, conflicts, needs, router
from soc_api.routes.recorded import recorded

models = router("rules")

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
ModelName = Annotated[str, Path(pattern=r"^[a-z0-9][a-z0-9.-]{0,63}$")]


def models_of(desk: Desk) -> ModelDesk:
    """The center's models."""
    return desk.models


Shelf = Annotated[ModelDesk, Depends(models_of)]


@models.get(
    "/models",
    summary="Models of unusual windows",
    response_model=ModelPage,
    openapi_extra=needs("rules.read"),
)
def page(center: Here, visit: Visitor, desk: Desk, shelf: Shelf) -> ModelPage:
    """One model of a kind serves the whole center; every version is checked where its files were touched."""
    need_center(center, visit)
    standing = shelf.standing()
    return ModelPage(
        kinds=[_kind(one, shelf, standing) for one in shelf.kinds()],
        acts=[
            ModelAct(
                act=act.act,
                kind=act.kind,
                name=text(model_words(act.kind)),
                version=act.version,
                time=act.time,
                actor=act.actor,
                why=act.why,
                manifest_sm3=act.manifest_sm3,
                leaf=leaf,
            )
            for act, leaf in shelf.acts()
        ],
        ranker=RankerState.model_validate(desk.ranker(center.clock()), from_attributes=True),
        key=shelf.key(),
    )


@models.post(
    "/models/{model}/roll-back",
    summary="One step back",
    response_model=ModelKind,
    responses=conflicts("No version before it is good"),
    openapi_extra=needs("rules.decide"),
)
def roll_back(model: ModelName, body: ModelDecision, center: Here, visit: Visitor, shelf: Shelf) -> ModelKind:
    """The version before speaks from the next window on; a leaf of the ledger says who asked and why."""
    need_center(center, visit)
    with recorded(center, visit, "model.roll-back", f"model:{model} {body.reason}") as act:
        act.changed(*shelf.roll_back(model, visit.actor, body.reason, center.clock()))
    return _kind(shelf.kind(model), shelf, shelf.standing())


def _kind(one: Kind, shelf: ModelDesk, standing: Standing) -> ModelKind:
    parameters = shelf.parameters()
    share = standing.kept.get(one.kind, Share())
    return ModelKind(
        kind=one.kind,
        name=text(model_words(one.kind)),
        learned=parameters.learning_windows if one.chosen.champion else standing.times(one.kind),
        needed=parameters.learning_windows,
        champion=one.chosen.champion,
        challenger=one.chosen.challenger,
        back=one.chosen.before[-1] if one.chosen.before else 0,
        speaks=_share(share.champion) if one.chosen.champion else None,
        trial=_share(share.challenger) if one.chosen.challenger else None,
        trial_windows=parameters.refit.trial_windows,
        drift_windows=parameters.refit.drift_windows,
        outside=share.outside,
        refitted=_EPOCH + timedelta(days=share.refitted) if share.refitted else None,
        versions=[_version(each, _role(one, each.version)) for each in one.versions],
    )


def _version(one: Version, role: ModelRole) -> ModelVersion:
    return ModelVersion(
        version=one.version,
        role=role,
        good=one.why is None,
        why=None if one.why is None else text(one.why),
        rows=one.rows,
        learned_from=_EPOCH + timedelta(seconds=one.first) if one.rows else None,
        learned_until=_EPOCH + timedelta(seconds=one.last) if one.rows else None,
        manifest_sm3=one.manifest_sm3,
    )


def _role(one: Kind, version: int) -> ModelRole:
    if version == one.chosen.champion:
        return "champion"
    if version == one.chosen.challenger:
        return "challenger"
    return "before" if version in one.chosen.before else ""


def _share(realised: Realised) -> ModelShare:
    return ModelShare(windows=realised.windows, times=realised.ratio())
