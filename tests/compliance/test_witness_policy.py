"""The policy file: strict, in order, and its quorum means what it says."""

import contextlib
from itertools import combinations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from compliance.witness_policy import Policy
from crypto.cosignature import Verifier
from crypto.keys import SigningKey
from crypto.words import BadInput

KEYS = [SigningKey.generate().public for _ in range(5)]
LOG = Verifier("log.example", KEYS[0], False).line()
LINES = [Verifier(f"w{number}.example", KEYS[number], True).line() for number in range(1, 5)]
TEXT = f"""\
# 本账本
log {LOG} https://log.example/

witness province {LINES[0]} https://p.example:8600/api/v1/witness
witness a {LINES[1]} http://a.example
witness b {LINES[2]}
witness c {LINES[3]}
group neighbours 2 a b c
group both all province neighbours
quorum both
"""


def test_a_policy_is_read() -> None:
    policy = Policy.parse(TEXT.encode())
    assert policy.logs["log.example"].url == "https://log.example"
    assert policy.witnesses["province"].url.endswith("/api/v1/witness")
    assert policy.witnesses["b"].url == ""
    assert policy.names_of({"w1.example", "w3.example", "else"}) == {"province", "b"}


def test_the_quorum_is_the_province_and_two_of_three() -> None:
    policy = Policy.parse(TEXT.encode())
    for count in range(5):
        for signers in combinations(("province", "a", "b", "c"), count):
            expected = "province" in signers and len(signers) >= 3
            assert policy.satisfied(signers) == expected, signers
    assert policy.satisfied({"province", "a", "b", "nobody"})


@pytest.mark.parametrize(
    ("quorum", "signers", "held"), [("none", (), True), ("a", ("a",), True), ("a", ("b",), False)]
)
def test_none_and_one(quorum: str, signers: tuple[str, ...], held: bool) -> None:
    assert Policy.parse(TEXT.replace("quorum both", f"quorum {quorum}").encode()).satisfied(signers) == held


@pytest.mark.parametrize(
    ("line", "by"),
    [
        ("quorum both", "quorum else"),
        ("quorum both", "quorum both\nquorum both"),
        ("quorum both", "quorum both extra"),
        ("group neighbours 2", "group neighbours 4"),
        ("group neighbours 2", "group neighbours 0"),
        ("group neighbours 2", "group neighbours two"),
        ("group neighbours 2 a b c", "group neighbours 2 a a c"),
        ("group neighbours 2 a b c", "group neighbours 1 both"),
        ("group neighbours 2 a b c", "group neighbours any"),
        ("group both", "group a"),
        ("group both", "group none"),
        ("witness b ", "witness a "),
        ("http://a.example", "ftp://a.example"),
        (f"log {LOG}", f"log {LINES[0]}"),
        (LINES[1], LINES[0]),
        (LINES[1], LOG),
        ("# 本账本", f"log {LOG}"),
        ("# 本账本", "else"),
    ],
)
def test_anything_else_names_its_line(line: str, by: str) -> None:
    assert line in TEXT
    with pytest.raises(BadInput, match="policy-malformed"):
        Policy.parse(TEXT.replace(line, by).encode())


@settings(max_examples=60, deadline=None)
@given(st.binary(max_size=200))
def test_bytes_are_read_or_refused(data: bytes) -> None:
    with contextlib.suppress(BadInput):
        Policy.parse(data)
