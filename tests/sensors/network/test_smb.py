"""SMB of both generations: negotiation, log-ins, shares, and files opened, written, renamed, deleted."""

from struct import pack

import pytest
from converse import CLIENT, SERVER, actions, converse, talk

from sensors.network.smb import STREAM, claims_smb
from sensors.network.smb1 import Smb1
from sensors.network.smb2 import Smb2
from sensors.network.smb_words import status_name

FILE = bytes(range(16))


def netbios(body: bytes) -> bytes:
    return pack("!I", len(body)) + body


def two(
    command: int, body: bytes, *, number: int = 1, reply: bool = False, status: int = 0, tree: int = 5
) -> bytes:
    head = b"\xfeSMB" + pack("<HHIHHIIQIIQ", 64, 0, status, command, 1, int(reply), 0, number, 0, tree, 9)
    return netbios(head + bytes(16) + body)


def wide(text: str) -> bytes:
    return text.encode("utf-16-le")


def tree_connect(path: str = r"\\files\tax") -> bytes:
    return two(3, pack("<HHHH", 9, 0, 72, len(wide(path))) + wide(path))


TREE_ANSWER = two(3, pack("<HBBIII", 16, 1, 0, 0, 0, 0), reply=True)


def create(name: str, number: int = 2, options: int = 0) -> bytes:
    body = pack("<HBBIQQIIIIIHHII", 57, 0, 0, 2, 0, 0, 1, 0, 7, 1, options, 120, len(wide(name)), 0, 0)
    return two(5, body + wide(name), number=number)


def created(number: int = 2, *, action: int = 1, status: int = 0) -> bytes:
    body = pack("<HBBIQQQQQQII", 89, 0, 0, action, 0, 0, 0, 0, 0, 1_234, 0, 0) + FILE + bytes(8)
    return two(5, body, number=number, reply=True, status=status)


SHARE = [(CLIENT, tree_connect()), (SERVER, TREE_ANSWER)]


def test_negotiation_and_login() -> None:
    offer = two(0, pack("<HHHHI16sIHH", 36, 2, 1, 0, 0, bytes(16), 0, 0, 0) + pack("<HH", 0x0210, 0x0311))
    chosen = two(0, pack("<HHH", 65, 3, 0x0311) + bytes(60), reply=True)
    refused = two(1, pack("<HHHH", 9, 0, 72, 0), reply=True, status=0xC000006D)
    told = converse(STREAM, [(CLIENT, offer), (SERVER, chosen), (SERVER, refused)], 445)
    assert actions(told) == ["smb-negotiate", "smb-negotiated", "smb-login-result"]
    assert told[0].fields["gov.smb.offered"] == ["2.1", "3.1.1"]
    assert told[1].fields["gov.smb.signing"] == "required"
    assert told[2].fields["gov.smb.status"] == "LOGON_FAILURE"
    assert told[2].fields["event.outcome"] == "failure"


def test_a_login_result_names_its_user() -> None:
    token = b"NTLMSSP\0" + pack("<I", 3) + bytes(16) + pack("<HHI", 0, 0, 64) + pack("<HHI", 8, 8, 64)
    token += bytes(16) + pack("<I", 1) + wide("anna")
    asked = two(1, pack("<HBBIIHHQ", 25, 0, 1, 0, 0, 88, len(token), 0) + token, number=4)
    refused = two(1, pack("<HHHH", 9, 0, 72, 0), number=4, reply=True, status=0xC000006A)
    told = converse(STREAM, [(CLIENT, asked), (SERVER, refused)], 445)
    assert actions(told) == ["ntlm-authenticate", "smb-login-result"]
    assert told[1].fields["user.name"] == "anna"
    assert told[1].fields["gov.smb.status"] == "WRONG_PASSWORD"


def test_files_by_name_once_each() -> None:
    told = converse(
        STREAM,
        [
            *SHARE,
            (CLIENT, create("dir\\a.doc")),
            (SERVER, created()),
            (CLIENT, create("dir\\a.doc")),
            (SERVER, created()),
        ],
        445,
    )
    assert actions(told) == ["smb-tree-connect", "smb-file-open"]
    assert told[0].native == {"path": r"\\files\tax", "share_type": "DISK"}
    assert told[0].log == "smb_mapping"
    assert told[1].native == {
        "action": "SMB::FILE_OPEN", "name": "dir\\a.doc", "path": r"\\files\tax", "size": 1_234,
    }  # fmt: skip
    assert told[1].fields["file.name"] == "a.doc"
    assert told[1].log == "smb_files"


def test_refused_created_and_root() -> None:
    told = converse(
        STREAM,
        [
            *SHARE,
            (CLIENT, create("x", 3)),
            (SERVER, created(3, status=0xC0000022)),
            (CLIENT, create("new", 4)),
            (SERVER, created(4, action=2)),
            (CLIENT, create("", 5)),
            (SERVER, created(5)),
        ],
        445,
    )
    assert actions(told)[1:] == ["smb-file-open", "smb-file-create", "smb-file-open"]
    assert told[1].fields["gov.smb.status"] == "ACCESS_DENIED"
    assert told[3].native["name"] == "<share_root>"


def test_write_rename_and_delete() -> None:
    write = two(9, pack("<HHI", 49, 112, 4) + bytes(8) + FILE + bytes(16) + b"data", number=6)
    name = wide("new.doc")
    rename = (
        pack("<HBBIHHI", 33, 1, 10, 20 + len(name), 96, 0, 0)
        + FILE
        + bytes(16)
        + pack("<I", len(name))
        + name
    )
    delete = pack("<HBBIHHI", 33, 1, 13, 1, 96, 0, 0) + FILE + b"\1"
    told = converse(
        STREAM,
        [
            *SHARE,
            (CLIENT, create("old.doc")),
            (SERVER, created()),
            (CLIENT, write * 2),
            (CLIENT, two(17, rename, number=7)),
            (SERVER, two(17, pack("<H", 2), number=7, reply=True)),
            (CLIENT, two(17, delete, number=8)),
            (SERVER, two(17, pack("<H", 2), number=8, reply=True)),
        ],
        445,
    )
    assert actions(told)[2:] == ["smb-file-write", "smb-file-rename", "smb-file-delete"]
    assert told[3].native["prev_name"] == "old.doc"
    assert told[3].native["name"] == told[4].native["name"] == "new.doc"


def test_sealed_is_said_once() -> None:
    sealed = netbios(b"\xfdSMB" + bytes(80))
    told = converse(STREAM, [*SHARE, (CLIENT, sealed), (SERVER, sealed), (CLIENT, sealed)], 445)
    assert actions(told) == ["smb-tree-connect", "smb-sealed"]


def one(
    command: int, words: bytes, body: bytes, *, reply: bool = False, status: int = 0, wide_text: bool = True
) -> bytes:
    head = b"\xffSMB" + pack("<BIBH", command, status, 0x80 if reply else 0, 0x8000 if wide_text else 0)
    head += bytes(12) + pack("<HHHH", 5, 100, 1, 7)
    return netbios(head + bytes([len(words) // 2]) + words + pack("<H", len(body)) + body)


def test_version_1() -> None:
    offer = one(0x72, b"", b"\x02LANMAN2.1\0\x02NT LM 0.12\0")
    chosen = one(0x72, pack("<HB", 1, 0x0F) + bytes(31), b"", reply=True)
    path = wide("\\\\files\\tax\0")
    connect = one(0x75, b"\xff\0\0\0" + pack("<HH", 0, 1), b"\0" + path + b"?????\0")
    connected = one(0x75, b"\xff\0\0\0" + bytes(2), b"A:\0", reply=True)
    name = wide("\\dir\\a.doc")
    words = b"\xff\0\0\0\0" + pack("<HIIIQIIIII", len(name), 0, 0, 0, 0, 0, 7, 1, 0, 2) + b"\0"
    opened = b"\xff\0\0\0\0" + pack("<HIQQQQIQQ", 77, 1, 0, 0, 0, 0, 0, 0, 1_234) + bytes(5)
    told = converse(
        STREAM,
        [
            (CLIENT, offer),
            (SERVER, chosen),
            (CLIENT, connect),
            (SERVER, connected),
            (CLIENT, one(0xA2, words, b"\0" + name)),
            (SERVER, one(0xA2, opened, b"", reply=True)),
            (CLIENT, one(0x06, b"\0\0", b"\x04old.doc\0", wide_text=False)),
        ],
        445,
    )
    assert actions(told) == [
        "smb-negotiate",
        "smb-negotiated",
        "smb-tree-connect",
        "smb-file-open",
        "smb-file-delete",
    ]
    assert told[1].fields["gov.smb.version"] == "NT LM 0.12"
    assert told[1].fields["gov.smb.signing"] == "required"
    assert told[2].native["path"] == r"\\files\tax"
    assert told[3].native["name"] == "dir\\a.doc"
    assert told[3].fields["file.size"] == 1_234
    assert told[4].fields["file.path"] == "old.doc"


def test_a_plain_login_of_version_1() -> None:
    words = b"\xff\0\0\0" + pack("<HHHIHHII", 0, 0, 0, 0, 4, 0, 0, 0)
    told = converse(
        STREAM, [(CLIENT, one(0x73, words, b"pass" + b"anna\0TAX\0Unix\0", wide_text=False))], 139
    )
    assert told[0].fields["user.name"] == "anna"
    assert told[0].fields["user.domain"] == "TAX"


@pytest.mark.parametrize(
    ("first", "said"),
    [
        (tree_connect(), True),
        (tree_connect()[:6], None),
        (netbios(b"\xfdSMB" + bytes(60)), False),
        (b"\x81\0\0\x44 CKFDENECFDEFFCFGEFFCCACACACACACA\0", True),
        (b"\0\0\0\x08abcdefgh", False),
    ],
)
def test_claims(first: bytes, said: bool | None) -> None:
    assert claims_smb(first, talk(CLIENT, 445)) is said


@pytest.mark.parametrize("reader", [Smb1(), Smb2()])
def test_cut_messages_tell_nothing(reader: Smb1 | Smb2) -> None:
    for raw in (b"", b"\xfeSMB", b"\xffSMB" + bytes(20), b"\xfeSMB" + bytes(59)):
        assert reader.read(raw) == []


def test_what_waits_is_bounded() -> None:
    reader = Smb2()
    for number in range(1_000):
        reader.read(create("x", number)[4:])
    assert len(reader._waiting) <= 64


def test_names_of_numbers() -> None:
    assert status_name(0) == "SUCCESS"
    assert status_name(0xC0FFEE00) == "0xc0ffee00"
