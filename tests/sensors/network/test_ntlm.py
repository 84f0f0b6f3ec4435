"""NTLM tokens: who, from where, to which server; anonymous and old ones; cut and lied ones."""

from base64 import b64encode
from struct import pack

from converse import CLIENT, SERVER, converse

from sensors.network.http_stream import HTTP
from sensors.network.ntlm import SIGNATURE, ntlm_in_text, ntlm_message, parse_ntlm


def authenticate(user: str = "anna", domain: str = "TAX", host: str = "DESK-7", response: int = 48) -> bytes:
    body, at, parts = b"", 72, b""
    for raw in (b"", bytes(response), *(text.encode("utf-16-le") for text in (domain, user, host)), b""):
        parts += pack("<HHI", len(raw), len(raw), at + len(body))
        body += raw
    return SIGNATURE + pack("<I", 3) + parts + pack("<I", 1) + bytes(8) + body


def challenge() -> bytes:
    pairs = b""
    for kind, text in ((1, "SERVER"), (3, "server.tax.example"), (5, "tax.example"), (0, "")):
        raw = text.encode("utf-16-le")
        pairs += pack("<HH", kind, len(raw)) + raw
    target = "TAX".encode("utf-16-le")
    head = SIGNATURE + pack("<I", 2) + pack("<HHI", len(target), len(target), 56)
    head += pack("<I", 1) + bytes(16) + pack("<HHI", len(pairs), len(pairs), 56 + len(target)) + bytes(8)
    return head + target + pairs


def test_who_logs_in() -> None:
    told = ntlm_message(b"some carrier" + authenticate(), "smb")
    assert told is not None
    assert told.fields["user.name"] == "anna"
    assert told.native == {"username": "anna", "domainname": "TAX", "hostname": "DESK-7"}
    assert told.fields["gov.ntlm.version"] == 2
    assert told.fields["gov.ntlm.carrier"] == "smb"
    old = ntlm_message(authenticate(response=24), "smb")
    assert old is not None
    assert old.fields["gov.ntlm.version"] == 1
    nobody = ntlm_message(authenticate(user=""), "smb")
    assert nobody is not None
    assert nobody.fields["gov.ntlm.anonymous"] is True


def test_what_the_server_says_of_itself() -> None:
    told = ntlm_message(challenge(), "ldap")
    assert told is not None
    assert told.reply
    assert told.fields["gov.ntlm.target"] == "TAX"
    assert told.native == {
        "server_nb_computer_name": "SERVER",
        "server_dns_computer_name": "server.tax.example",
        "server_tree_name": "tax.example",
    }


def test_in_an_http_head() -> None:
    def head(token: bytes) -> bytes:
        return b"GET /ews HTTP/1.1\r\nAuthorization: NTLM " + b64encode(token) + b"\r\n\r\n"

    told = ntlm_in_text(head(authenticate()))
    assert told is not None
    assert told.fields["user.name"] == "anna"
    assert told.fields["gov.ntlm.carrier"] == "http"
    assert ntlm_in_text(b"GET / HTTP/1.1\r\n\r\n") is None
    for cut in range(40, len(head(authenticate()))):
        ntlm_in_text(head(authenticate())[:cut])
    asked = [(CLIENT, head(authenticate()))]
    answer = (
        b"HTTP/1.1 401 No\r\nWWW-Authenticate: NTLM "
        + b64encode(challenge())
        + b"\r\nContent-Length: 0\r\n\r\n"
    )
    datasets = [one.dataset for one in converse(HTTP, [*asked, (SERVER, answer)], 80)]
    assert datasets == ["net.http", "net.ntlm", "net.http", "net.ntlm"]


def test_no_token_and_half_ones() -> None:
    assert parse_ntlm(b"nothing") is None
    assert ntlm_message(SIGNATURE + pack("<I", 1) + bytes(24), "smb") is None
    for token in (authenticate(), challenge()):
        for cut in range(8, len(token)):
            parse_ntlm(token[:cut])
        for at in range(12, 60):
            parse_ntlm(token[:at] + b"\xff\xff" + token[at + 2 :])
