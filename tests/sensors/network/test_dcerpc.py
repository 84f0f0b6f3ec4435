"""DCE/RPC: interfaces and operations by name, each once, in both byte orders, straight and through a pipe."""

from struct import pack
from uuid import UUID

import pytest
from converse import CLIENT, converse, talk

from sensors.network.dcerpc import STREAM, DceRpc, claims_dcerpc

TASKS = UUID("86d35949-83c9-4044-b424-db363231fd0c")


def fragment(kind: int, body: bytes, order: str = "<") -> bytes:
    size = 16 + len(body)
    drep = b"\x10\0\0\0" if order == "<" else bytes(4)
    return b"\x05\0" + bytes([kind, 3]) + drep + pack(f"{order}HHI", size, 0, 1) + body


def bind(interface: UUID, context: int = 0, order: str = "<") -> bytes:
    raw = interface.bytes_le if order == "<" else interface.bytes
    item = pack(f"{order}HBB", context, 1, 0) + raw + pack(f"{order}HH", 1, 0) + bytes(20)
    return fragment(11, pack(f"{order}HHI", 4_280, 4_280, 0) + b"\x01\0\0\0" + item, order)


def call(operation: int, context: int = 0, order: str = "<") -> bytes:
    return fragment(0, pack(f"{order}IHH", 0, context, operation), order)


@pytest.mark.parametrize("order", ["<", ">"])
def test_calls_by_name(order: str) -> None:
    said = bind(TASKS, 2, order) + call(1, 2, order) * 3 + call(12, 2, order) + call(1, 9, order)
    told = converse(STREAM, [(CLIENT, said)], 49_700)
    assert [(one.native["endpoint"], one.native["operation"]) for one in told] == [
        ("ITaskSchedulerService", "SchRpcRegisterTask"),
        ("ITaskSchedulerService", "SchRpcRun"),
    ]


def test_unknown_ones_by_number_and_pipes() -> None:
    other = UUID(int=7)
    rpc = DceRpc("thing")
    assert rpc.read(bind(other)) == []
    (told,) = rpc.read(call(5))
    assert told.native == {"endpoint": str(other), "operation": "unknown-5", "named_pipe": "thing"}
    assert rpc.read(b"\x05\0") == rpc.read(call(5)[:20]) == []


def test_claims() -> None:
    assert claims_dcerpc(bind(TASKS), talk(CLIENT, 135)) is True
    assert claims_dcerpc(bind(TASKS)[:8], talk(CLIENT, 135)) is None
    assert claims_dcerpc(b"\x05\x02\x00\x02", talk(CLIENT, 1_080)) is False
    assert claims_dcerpc(b"\x05\x00" + b"\xff" * 20, talk(CLIENT, 135)) is False
