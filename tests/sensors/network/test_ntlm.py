"""NTLM tokens: who, from where, to which server; anonymous and old ones; cut and lied ones."""

from struct import pack

from sensors.network.ntlm import SIGNATURE, ntlm_message, parse_ntlm


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


def test_no_token_and_half_ones() -> None:
    assert parse_ntlm(b"nothing") is None
    assert ntlm_message(SIGNATURE + pack("<I", 1) + bytes(24), "smb") is None
    for token in (authenticate(), challenge()):
        for cut in range(8, len(token)):
            parse_ntlm(token[:cut])
        for at in range(12, 60):
            parse_ntlm(token[:at] + b"\xff\xff" + token[at + 2 :])
