"""Puts the desk of reports together: stores, catalogue, transfers and the key that seals issued reports."""

from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from typing import Final

from compliance.catalogue import load_catalogue
from compliance.checklist import Check
from compliance.inspection import load_inspections
from compliance.ledger import Ledger
from compliance.registry import GradedSystem
from compliance.report.model import TransferFigures
from compliance.report.monthly import Scores
from compliance.report_cases import cases_of
from compliance.report_desk import ReportDesk
from compliance.report_sources import DeskParts
from compliance.scoring import SystemScore
from compliance.self_assessment import SelfAssessment
from compliance.verdict_rule import rule_words
from crypto.cms import sign
from crypto.cms_signed import CmsSigner
from crypto.link_authority import LinkAuthority
from detection.store.alert_store import AlertStore
from detection.store.event_store import EventStore
from detection.store.inventory_store import InventoryStore
from detection.store.state import Engine
from rules import ROOT
from soc_api.folders import Folders
from soc_api.pseudonyms import Pseudonyms
from soc_api.secret_box import center_key
from soc_api.sensor_configuration import signing_identity
from soc_api.settings import Settings
from soc_api.transfer_status import row_of
from soc_api.transfer_store import Kept, TransferStore

_TRANSFERS_MAX: Final = 100_000


def report_desk(
    folders: Folders,
    settings: Settings,
    engine: Engine,
    *,
    events: EventStore,
    ledger: Ledger,
    checklist: Sequence[Check],
    rules: int,
) -> ReportDesk:
    """The desk over a center's folder."""
    return ReportDesk(
        DeskParts(
            engine=engine,
            alerts=AlertStore(engine),
            inventory=InventoryStore(engine),
            events=events,
            ledger=ledger,
            folder=folders.reports,
            center=settings.center.name,
            unit=settings.center.unit,
            checks=tuple(checklist),
            rules=rules,
            retention_days=settings.storage.retention_days,
            due_day=settings.reports.due_day,
            fonts=folders.data / "fonts",
            witness=folders.witness,
            seal=sealing(folders, settings.center.id),
            hide=Pseudonyms(center_key(folders.keys)).shown,
            inspections=load_inspections(ROOT / "inspection"),
            scores=_scoring(engine, checklist),
            cases=cases_of(load_catalogue(ROOT / "grading")),
            transfers=transfer_figures(TransferStore(engine)),
        )
    )


def _scoring(engine: Engine, checklist: Sequence[Check]) -> Scores:
    assessment = SelfAssessment(engine, checklist, ROOT / "grading")
    rule = rule_words(assessment.rule).zh

    def scores(system: GradedSystem, now: datetime) -> tuple[SystemScore, str]:
        return assessment.assess(system, now).score, rule

    return scores


def sealing(folders: Folders, center: str) -> Callable[[bytes, datetime], bytes]:
    """Signs a file as detached CMS with the center's own signing certificate, made where there is none."""

    def seal(data: bytes, now: datetime) -> bytes:
        identity = signing_identity(LinkAuthority(folders.keys), center, now)
        chain = tuple(one.der for one in identity.chain[1:])
        return sign(data, [CmsSigner(identity.key, identity.certificate.der, chain)], detached=True)

    return seal


def transfer_figures(store: TransferStore) -> Callable[[datetime, datetime], TransferFigures]:
    """Counts transfers whose last change lies in a month."""

    def figures(start: datetime, end: datetime) -> TransferFigures:
        kept = [one for one in store.page(limit=_TRANSFERS_MAX) if start <= one.updated.astimezone(UTC) < end]
        return figures_of(kept)

    return figures


def figures_of(kept: Sequence[Kept]) -> TransferFigures:
    """The figures of transfers."""
    rows = [row_of(one) for one in kept]
    refused = [row for row in rows if row.state == "refused"]
    through = [row for row in rows if row.state not in ("requested", "approved", "refused")]
    labels: dict[str, int] = {}
    for row in through:
        labels[row.label] = labels.get(row.label, 0) + 1
    return TransferFigures(
        sent=sum(row.direction == "out" for row in through),
        received=sum(row.direction == "in" for row in through),
        refused=len(refused),
        content_bytes=sum(row.content_bytes for row in through),
        labels=dict(sorted(labels.items())),
    )
