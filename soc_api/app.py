"""The HTTP application of a center: routes under /api/v1, the console at /, nothing open that need not be."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any, Final

import anyio
from fastapi import APIRouter, FastAPI
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from compliance.attestation_desk import ATTACHMENT_BYTES_MAX
from soc_api.body_examples import exemplified
from soc_api.body_limit import BodyLimit
from soc_api.context import Center
from soc_api.errors import NoTraces, install_errors
from soc_api.headers import SecurityHeaders
from soc_api.incident_files import FILE_BYTES_MAX as INCIDENT_BYTES_MAX
from soc_api.pace import Pace
from soc_api.routes.accounts import accounts
from soc_api.routes.alerts import alerts
from soc_api.routes.anomalies import anomalies
from soc_api.routes.attack import attack
from soc_api.routes.attestations import FILES, attestations
from soc_api.routes.audit import audit
from soc_api.routes.changes import changes
from soc_api.routes.checks import checks
from soc_api.routes.entities import entities
from soc_api.routes.evidence import evidence
from soc_api.routes.exceptions import exceptions
from soc_api.routes.feeds import feeds
from soc_api.routes.gates import gates
from soc_api.routes.grading import grading
from soc_api.routes.health import health
from soc_api.routes.hunt import hunt
from soc_api.routes.hunt_views import hunt_views
from soc_api.routes.incident_case import LOCKER, incident_case
from soc_api.routes.incidents import incidents
from soc_api.routes.inspections import inspections
from soc_api.routes.inventory import inventory
from soc_api.routes.live import live
from soc_api.routes.models import models
from soc_api.routes.names import names
from soc_api.routes.notices import notices
from soc_api.routes.orders import orders
from soc_api.routes.overview import overview
from soc_api.routes.packets import packets
from soc_api.routes.queue import queue
from soc_api.routes.registry import registry
from soc_api.routes.registry_tables import UPLOAD, registry_tables
from soc_api.routes.registry_tables import UPLOAD_BYTES_MAX as REGISTRY_BYTES_MAX
from soc_api.routes.reports import reports
from soc_api.routes.rules import rules
from soc_api.routes.sensors import sensors
from soc_api.routes.session import session
from soc_api.routes.shift import shift
from soc_api.routes.support import support
from soc_api.routes.tokens import tokens
from soc_api.routes.transfers import UPLOAD_BYTES_MAX, UPLOADS, transfers
from soc_api.routes.triage import triage
from soc_api.routes.wall import wall
from soc_api.routes.webhooks import webhooks
from soc_api.routes.witness import witness
from soc_api.static_console import FOLDER, StaticConsole
from soc_api.stream import Live
from soc_api.throttle import Throttle

API: Final = "/api/v1"

_TAGS: Final = [
    {"name": "session", "description": "Login, the own session, the own second factor and password"},
    {"name": "accounts", "description": "Accounts and sessions, for the three administrators"},
    {"name": "tokens", "description": "Tokens of programs and wall displays; set-up"},
    {"name": "overview", "description": "The numbers of the first page"},
    {"name": "alerts", "description": "The alert queue and what people decide about it"},
    {"name": "wall", "description": "The wall display"},
    {"name": "triage", "description": "What stands beside an alert: precedents, relations, playbooks"},
    {"name": "exceptions", "description": "Alerts that are let pass, for a while and never unseen"},
    {"name": "hunt", "description": "Stored events by query"},
    {"name": "names", "description": "Names behind pseudonyms, revealed with a reason"},
    {"name": "entities", "description": "Hosts, users and addresses"},
    {"name": "packets", "description": "Raw packets behind an alert"},
    {"name": "checks", "description": "The six-layer checklist of the registered system"},
    {"name": "attestations", "description": "What people state, the files and documents they hand in"},
    {"name": "gates", "description": "Where enforcement says no: decisions, overrides, the release switch"},
    {"name": "orders", "description": "Rectification orders"},
    {"name": "incidents", "description": "Security incidents: cases with clocks, reports, tasks and files"},
    {"name": "notices", "description": "Notices (通报) between units: drafted, issued, answered, cleared"},
    {"name": "registry", "description": "Units, graded systems, assets, objects and people"},
    {"name": "inventory", "description": "What hosts are made of"},
    {"name": "grading", "description": "Self-assessment by GB/T 22239"},
    {"name": "rules", "description": "Detection rules and correlations"},
    {"name": "evidence", "description": "The SM3 ledger"},
    {"name": "sensors", "description": "Sensors, their health and their gaps"},
    {"name": "reports", "description": "Monthly reports"},
    {
        "name": "transfers",
        "description": "Transfers across networks under dual control",
    },
    {"name": "changes", "description": "Changes of rules, gates and retention, and their second persons"},
    {"name": "audit", "description": "Who did what"},
    {"name": "webhooks", "description": "Changes sent to other programs, or read by them"},
    {"name": "center", "description": "The center itself"},
]


class _Described(FastAPI):
    """An application whose description shows an example of each body."""

    def openapi(self) -> dict[str, Any]:
        """Made once."""
        return exemplified(super().openapi())


def create_app(center: Center, *, static: Path = FOLDER, base_path: str = "") -> FastAPI:
    """The application over an opened center; ``static`` is the folder of the built console."""
    return equipped(routed(), center, static=static, base_path=base_path)


def equipped(app: FastAPI, center: Center, *, static: Path = FOLDER, base_path: str = "") -> FastAPI:
    """Put a center behind an application that has its routes."""
    app.state.center = center
    app.state.console = StaticConsole(static, base_path)
    app.state.live = Live(center.revisions)
    app.state.throttle = Throttle()
    app.state.pace = Pace()
    return app


def openapi_document() -> dict[str, Any]:
    """The OpenAPI document, made without a center."""
    return routed().openapi()


def routed() -> FastAPI:
    """The application with all its routes and no center yet."""
    app = _Described(
        title="Liuhe 六合",
        summary="The security supervision center's HTTP interface",
        version="1",
        openapi_url=None,  # served by a guarded route; the viewers need a CDN and are off
        docs_url=None,
        redoc_url=None,
        openapi_tags=_TAGS,
        lifespan=_running,
        redirect_slashes=False,
    )
    # The last one added is the outermost.
    uploads = {API + path: UPLOAD_BYTES_MAX for path in UPLOADS} | {API + UPLOAD: REGISTRY_BYTES_MAX}
    uploads |= {API + path: ATTACHMENT_BYTES_MAX for path in FILES}
    uploads[API + LOCKER] = INCIDENT_BYTES_MAX
    app.add_middleware(BodyLimit, larger=uploads)
    app.add_middleware(NoTraces)
    app.add_middleware(SecurityHeaders)
    install_errors(app)
    top = APIRouter(prefix=API)
    cases = (incidents, incident_case, notices)
    compliance = (checks, attestations, gates, orders, registry, registry_tables, inventory, grading)
    work = (
        overview,
        shift,
        wall,
        queue,
        alerts,
        triage,
        exceptions,
        anomalies,
        models,
        packets,
        names,
        hunt,
        hunt_views,
        entities,
        attack,
        rules,
        sensors,
        transfers,
    )
    oversight = (audit, changes, support, webhooks, feeds)
    pages = (*work, *cases, *compliance, evidence, witness, reports, inspections, *oversight)
    for part in (session, accounts, tokens, *pages, live, health):
        top.include_router(part)
    app.include_router(top)
    app.router.routes.append(Route("/{path:path}", _console, methods=["GET", "HEAD"]))
    return app


def _console(request: Request) -> Response:
    console: StaticConsole = request.app.state.console
    return console.answer(request)


@asynccontextmanager
async def _running(app: FastAPI) -> AsyncIterator[None]:
    source: Live = app.state.live
    async with anyio.create_task_group() as tasks:
        tasks.start_soon(source.run)
        try:
            yield
        finally:
            source.stop()
            tasks.cancel_scope.cancel()
