"""Transfers across networks: request, approval by another person, export, import, and what is unconfirmed."""

from collections.abc import Callable
from datetime import datetime
from typing import Annotated, Any, Final

from fastapi import Depends, Path, Query, Request, Response
from fastapi.responses import FileResponse
from starlette.concurrency import run_in_threadpool

from crypto.passphrase import Passphrase
from crypto.transfer.request import refuse_state_secrets
from crypto.words import BadInput, Refused, Words
from soc_api.context import Center
from soc_api.evidence_scope import need_center, scope_of_evidence
from soc_api.export_stream import LABELS, label_of
from soc_api.identity import Visit
from soc_api.routes.guard import Here, Visitor, conflicts, needs, router
from soc_api.routes.recorded import recorded
from soc_api.transfer_bodies import (
    TransferChannel,
    TransferChannels,
    TransferChoices,
    TransferDetail,
    TransferOrder,
    TransferPage,
    TransferRefusal,
    TransferRow,
    TransferSign,
    TransferUpload,
)
from soc_api.transfer_port import StagedFile, TransferAsk, TransferFilter, TransferRowValue
from soc_api.transfer_uploads import BYTES_MAX, FILES_MAX, Upload
from soc_api.unit_scope import actors_in, need_actor

transfers = router("transfers")

UPLOADS: Final = ("/transfers/files", "/transfers/import")  # paths that take a file as their body
UPLOAD_BYTES_MAX: Final = BYTES_MAX

TransferId = Annotated[str, Path(pattern=r"^(out-[0-9a-f]{32}|in-[0-9a-f]{64})$")]


def own_transfer(transfer: TransferId, center: Here, visit: Visitor) -> str:
    """The transfer, if somebody of one's own units asked for it. Raises Refused (…-not-found, unit-scope).

    What came in from elsewhere is the center's own.
    """
    scope = scope_of_evidence(center, visit)
    if scope.units is not None:
        found = center.transfers.detail(transfer).transfer
        author = found.author if found.direction == "out" else ""
        need_actor(center, visit, scope, f"user:{author}")
    return transfer


Transfer = Annotated[str, Depends(own_transfer)]
_REFUSES: Final = conflicts("The transfer, its policy, the gate or dual control does not allow it")
_PACKAGE: Final = "application/octet-stream"
_PACKAGE_NAME: Final = "package.liuhe"
_BINARY: Final = {_PACKAGE: {"schema": {"type": "string", "format": "binary"}}}


def _takes_file(permission: dict[str, str]) -> dict[str, Any]:
    return {**permission, "requestBody": {"required": True, "content": _BINARY}}


@transfers.get(
    "/transfers", summary="All transfers", response_model=TransferPage, openapi_extra=needs("transfers.read")
)
def page(
    center: Here,
    visit: Visitor,
    state: TransferFilter = "all",
    cursor: Annotated[str, Query(max_length=100)] = "",
    limit: Annotated[int, Query(ge=1, le=500)] = 100,
) -> TransferPage:
    """Transfers in both directions, the newest first; below the center's unit, those of one's own units."""
    actors = actors_in(center, scope_of_evidence(center, visit))
    authors = None if actors is None else frozenset(one.removeprefix("user:") for one in actors)
    found = center.transfers.page(state, cursor, limit, authors)
    return TransferPage.model_validate(found, from_attributes=True)


@transfers.get(
    "/transfers/channels",
    summary="Gaps and what is unconfirmed",
    response_model=TransferChannels,
    openapi_extra=needs("transfers.read"),
)
def channels(center: Here, visit: Visitor) -> TransferChannels:
    """Each end of each channel: how far it has come, which places are missing, what nobody confirmed.

    They are the center's own: accounts of other units see none.
    """
    if scope_of_evidence(center, visit).units is not None:
        return TransferChannels(rows=[])
    found = center.transfers.channels(center.clock())
    return TransferChannels(rows=[TransferChannel.model_validate(one, from_attributes=True) for one in found])


@transfers.get(
    "/transfers/choices",
    summary="What a request may choose from",
    response_model=TransferChoices,
    openapi_extra=needs("transfers.read"),
)
def choices(center: Here) -> TransferChoices:
    """Channels, zones, labels, marks and which label may carry what where."""
    found = center.transfers.choices()
    return TransferChoices.model_validate(
        {
            **{name: getattr(found, name) for name in found.__struct_fields__},
            "upload_bytes_max": BYTES_MAX,
            "upload_files_max": FILES_MAX,
        },
        from_attributes=True,
    )


@transfers.post(
    "/transfers/files",
    summary="Upload a file to ask for",
    response_model=TransferUpload,
    status_code=201,
    responses=_REFUSES,
    openapi_extra=_takes_file(needs("transfers.request")),
)
async def upload(
    request: Request,
    center: Here,
    visit: Visitor,
    name: Annotated[str, Query(min_length=1, max_length=1024)],
) -> TransferUpload:
    """One file as the body; it waits an hour for the request that names it and is nobody else's."""
    refuse_state_secrets((), (name,))
    kept = await _kept(request, center, visit, name)
    return TransferUpload(id=kept.id, name=kept.name, size=kept.size, sm3=kept.sm3)


@transfers.post(
    "/transfers",
    summary="Ask for a transfer",
    response_model=TransferRow,
    status_code=201,
    responses=_REFUSES,
    openapi_extra=needs("transfers.request"),
)
def order(body: TransferOrder, center: Here, visit: Visitor) -> TransferRow:
    """经办: over files uploaded before. What is marked as a state secret is refused."""
    with recorded(center, visit, "transfer.request", f"{body.channel} {body.application}"):
        refuse_state_secrets((body.label, *body.marks), (body.purpose, body.application))
        uploads = center.uploads.take(visit.actor, body.files)
        for one in uploads:
            _honour(one.staged, body.label)
        ask = TransferAsk(
            channel=body.channel,
            application=body.application,
            purpose=body.purpose,
            label=body.label,
            marks=tuple(body.marks),
            days=body.days,
            files=tuple(one.staged for one in uploads),
        )
        made = center.transfers.request(ask, visit.account.username, center.clock())
    center.uploads.drop(uploads)
    return _row(made)


@transfers.post(
    "/transfers/import",
    summary="Import a package",
    response_model=TransferRow,
    responses=_REFUSES,
    openapi_extra=_takes_file(needs("transfers.import")),
)
async def import_(
    request: Request,
    center: Here,
    visit: Visitor,
    channel: Annotated[str, Query(min_length=1, max_length=64)],
) -> TransferRow:
    """A package or a receipt that was carried here. A package that is refused is answered with its reason."""
    await run_in_threadpool(need_center, center, visit)
    kept = await _kept(request, center, visit, _PACKAGE_NAME)

    def imported() -> TransferRowValue:
        try:
            with recorded(center, visit, "transfer.import", kept.sm3):
                return center.transfers.import_(channel, kept.path, visit.account.username, center.clock())
        finally:
            center.uploads.drop([kept])

    return _row(await run_in_threadpool(imported))


@transfers.get(
    "/transfers/{transfer}",
    summary="One transfer",
    response_model=TransferDetail,
    responses=_REFUSES,
    openapi_extra=needs("transfers.read"),
)
def detail(transfer: Transfer, center: Here) -> TransferDetail:
    """Its files, signatures, history, receipts, and why it was refused."""
    return TransferDetail.model_validate(center.transfers.detail(transfer), from_attributes=True)


@transfers.post(
    "/transfers/{transfer}/approve",
    summary="Approve and sign",
    response_model=TransferRow,
    responses=_REFUSES,
    openapi_extra=needs("transfers.approve"),
)
def approve(transfer: Transfer, body: TransferSign, center: Here, visit: Visitor) -> TransferRow:
    """审批: by another person than the one who asked, with a key of their own."""
    return _sign(center, visit, "transfer.approve", transfer, body, center.transfers.approve)


@transfers.post(
    "/transfers/{transfer}/seal",
    summary="Sign what was approved",
    response_model=TransferRow,
    responses=_REFUSES,
    openapi_extra=needs("transfers.request"),
)
def seal(transfer: Transfer, body: TransferSign, center: Here, visit: Visitor) -> TransferRow:
    """经办: the one who asked signs the approved manifest; the package is written and encrypted."""
    return _sign(center, visit, "transfer.seal", transfer, body, center.transfers.seal)


@transfers.post(
    "/transfers/{transfer}/refuse",
    summary="Refuse",
    response_model=TransferRow,
    responses=_REFUSES,
    openapi_extra=needs("transfers.approve"),
)
def refuse(transfer: Transfer, body: TransferRefusal, center: Here, visit: Visitor) -> TransferRow:
    """What was not exported yet is refused for good, with the reason."""
    with recorded(center, visit, "transfer.refuse", transfer):
        after = center.transfers.refuse(transfer, visit.account.username, body.reason, center.clock())
    return _row(after)


@transfers.post(
    "/transfers/{transfer}/export",
    summary="Export the package",
    response_model=TransferRow,
    responses=_REFUSES,
    openapi_extra=needs("transfers.export"),
)
def export(transfer: Transfer, center: Here, visit: Visitor) -> TransferRow:
    """The sealed package is handed over; the gate of compliance is asked first."""
    with recorded(center, visit, "transfer.export", transfer):
        after = center.transfers.export(transfer, visit.account.username, center.clock())
    return _row(after)


@transfers.get(
    "/transfers/{transfer}/package",
    summary="Download the package",
    response_class=Response,
    responses={200: {"content": _BINARY}, **_REFUSES},
    openapi_extra=needs("transfers.export"),
)
def package(transfer: Transfer, center: Here, visit: Visitor) -> FileResponse:
    """The exported package, for carrying by hand; larger ones are taken from the channel's directory."""
    with recorded(center, visit, "transfer.download", transfer):
        path = center.transfers.package(transfer)
        if path.stat().st_size > BYTES_MAX:
            raise BadInput(
                "transfer-package-large",
                Words("数据包超过 64 MiB,不由控制台下载", "the package is over 64 MiB: not by the console"),
                Words(
                    "请从通道目录取用,或用命令行 liuhe transfer export",
                    "take it from the channel's directory, or use liuhe transfer export",
                ),
                field=transfer,
            )
    name = f"{transfer.partition('-')[2]}.liuhe"
    return FileResponse(path, media_type=_PACKAGE, filename=name, headers={"Cache-Control": "no-store"})


@transfers.get(
    "/transfers/{transfer}/receipt",
    summary="Download the receipt",
    response_class=Response,
    responses={200: {"content": _BINARY}, **_REFUSES},
    openapi_extra=needs("transfers.import"),
)
def receipt(transfer: Transfer, center: Here, visit: Visitor) -> Response:
    """The newest signed receipt, for carrying back by hand."""
    data = center.transfers.receipt(transfer)
    with recorded(center, visit, "transfer.receipt", transfer):
        pass  # told before it leaves
    name = f"{transfer.partition('-')[2][:32]}.receipt"
    headers = {"Cache-Control": "no-store", "Content-Disposition": f'attachment; filename="{name}"'}
    return Response(data, media_type=_PACKAGE, headers=headers)


def _sign(
    center: Center,
    visit: Visit,
    action: str,
    transfer: str,
    body: TransferSign,
    work: Callable[[str, str, bytearray, datetime], TransferRowValue],
) -> TransferRow:
    with (
        recorded(center, visit, action, transfer),
        Passphrase(body.passphrase.get_secret_value().encode()) as passphrase,
    ):
        after = work(transfer, visit.account.username, passphrase, center.clock())
    return _row(after)


async def _kept(request: Request, center: Center, visit: Visit, name: str) -> Upload:
    """The body in a file of its own; whatever ends it early leaves nothing."""
    writing = await run_in_threadpool(center.uploads.begin, visit.actor, name, center.clock())
    done = False
    try:
        async for chunk in request.stream():
            await run_in_threadpool(writing.write, chunk)
        kept = await run_in_threadpool(writing.finish)
        done = True
        return kept
    finally:
        if not done:
            writing.abandon()


def _row(value: TransferRowValue) -> TransferRow:
    return TransferRow.model_validate(value, from_attributes=True)


def _honour(file: StagedFile, label: str) -> None:
    """Return where a file says no higher label than it is sent under. Raises Refused (transfer-label-low)."""
    own = label_of(file.path)
    if own is not None and label in LABELS and LABELS.index(own) > LABELS.index(label):
        raise Refused(
            "transfer-label-low",
            Words(
                f"文件自带的标签是“{own}”,高于申请的“{label}”", f"the file is labelled {own}, above {label}"
            ),
            Words("请按文件的标签申请", "ask for a transfer under the file's own label"),
            field=file.name,
        )
