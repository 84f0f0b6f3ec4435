"""The wall display: numbers for a screen that everybody in the room can read."""

from typing import Annotated

from fastapi import Depends, Response

from crypto.words import Refused, Words
from soc_api.routes.guard import Here, conflicts, needs, router
from soc_api.routes.registry import Seen
from soc_api.wall import Wall
from soc_api.wall_bodies import WallPage

wall = router("wall")


def wall_of(center: Here) -> Wall:
    """The center's wall display."""
    assert center.wall is not None
    return center.wall


Shown = Annotated[Wall, Depends(wall_of)]


@wall.get("/wall", summary="The wall display", response_model=WallPage, openapi_extra=needs("wall.read"))
def numbers(center: Here, shown: Shown, scope: Seen) -> WallPage:
    """Of one's own unit and those below; no person, host or address. At most 4 seconds old."""
    return shown.page(center, scope.units, center.clock())


@wall.get(
    "/wall/map",
    summary="The site's approved map",
    response_class=Response,
    responses=conflicts("Not used")
    | {
        200: {
            "content": {"application/geo+json": {"schema": {"type": "object"}}},
            "description": "GeoJSON as the site put it there",
        }
    },
    openapi_extra=needs("wall.read"),
)
def site_map(shown: Shown) -> Response:
    """Only where the site put one there together with its approval number."""
    found = shown.map.geojson()
    if found is None:
        raise Refused(
            "wall-map-not-found",
            Words("没有可用的地图", "there is no map that may be shown"),
            Words("请按 docs/reference/wall.md 放置地图与审图号", "see docs/reference/wall.md"),
        )
    return Response(found, media_type="application/geo+json")
