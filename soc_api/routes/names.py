"""Names behind pseudonyms: shown to a session for some minutes, with a reason, on record."""

from soc_api.context import Center
from soc_api.identity import Visit
from soc_api.privacy import Privacy
from soc_api.privacy_bodies import NamesState, RevealOrder
from soc_api.routes.guard import Here, Visitor, needs, router
from soc_api.routes.recorded import recorded

names = router("names")


@names.get(
    "/names", summary="Whether names are shown", response_model=NamesState, openapi_extra=needs("session.own")
)
def state(center: Here, visit: Visitor) -> NamesState:
    """To this session, now; which roles see names always, and which fields hold them."""
    return _state(center, visit)


@names.post("/names", summary="Show names", response_model=NamesState, openapi_extra=needs("names.reveal"))
def reveal(body: RevealOrder, center: Here, visit: Visitor) -> NamesState:
    """For some minutes and in this session alone; the reason is on record before the first name is seen."""
    with recorded(center, visit, "names.reveal", f"{body.minutes} min: {body.reason}"):
        _privacy(center).reveal(visit, body.reason, body.minutes, center.clock())
    return _state(center, visit)


@names.delete(
    "/names", summary="Hide names again", response_model=NamesState, openapi_extra=needs("session.own")
)
def hide(center: Here, visit: Visitor) -> NamesState:
    """Before the time is over."""
    with recorded(center, visit, "names.hide", "names"):
        _privacy(center).hide(visit)
    return _state(center, visit)


def _privacy(center: Center) -> Privacy:
    assert center.privacy is not None
    return center.privacy


def _state(center: Center, visit: Visit) -> NamesState:
    privacy, now = _privacy(center), center.clock()
    own = privacy.reveal_of(visit, now)
    return NamesState(
        shown=privacy.shows(visit, now),
        until=own.until if own is not None else None,
        reason=own.reason if own is not None else "",
        roles=sorted(privacy.roles),
        fields=sorted(privacy.pseudonyms.personal.fields),
    )
