"""The kit for an inspection, made when it is asked for."""

from fastapi import Response

from soc_api.report_bodies import InspectionOrder
from soc_api.report_scope import need_report
from soc_api.routes.guard import Here, Visitor, conflicts, needs, router
from soc_api.routes.recorded import recorded, taken

inspections = router("reports")


@inspections.post(
    "/inspections",
    summary="The kit for an inspection of a graded system",
    response_class=Response,
    responses={
        200: {"content": {"application/zip": {"schema": {"type": "string", "format": "binary"}}}},
        **conflicts("The kit cannot be made"),
    },
    openapi_extra=needs("reports.make"),
)
def make(body: InspectionOrder, center: Here, visit: Visitor) -> Response:
    """Questions answered, the newest issued report, records with proofs, digests signed by the center."""
    need_report(center, visit, "system", body.system)
    with recorded(center, visit, "inspection.make", f"{body.audience} {body.system}"):
        kit = center.reports.inspection_kit(body.audience, body.system, visit.actor, center.clock())
    name = f"{kit.name.removesuffix('.zip')}-{taken(visit, center.clock())}.zip"
    # Names of systems have no quote and no line end (registry), so this can stand in a header.
    headers = {"Content-Disposition": f'attachment; filename="liuhe-{name}"'}
    return Response(kit.data, media_type="application/zip", headers=headers)
