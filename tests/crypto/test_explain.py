"""Plain words about certificates: every question is answered in both languages, faults included."""

from datetime import timedelta
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from crypto import explain
from crypto.crl import Revoked, make_crl
from crypto.words import BadInput
from crypto.x509 import read_certificate, read_request
from crypto.x509_issue import Subject, request_der

DAY = timedelta(days=1)


def test_who_by_whom_for_what_until_when(house: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    said = explain.explain(house.leaf, house.now, house.store())
    assert said.trusted
    assert not said.problems
    facts = {line.name: line.text for line in said.lines}
    assert facts["identity"].en == "center:one"
    assert facts["issuer"].zh == "C=CN, CN=issuer 一号"
    assert facts["usage"].zh.startswith("数字签名、")
    assert facts["usage"].en.startswith("signing, ")
    assert facts["ends"].en.endswith("(300 days left)")
    monkeypatch.setenv("LIUHE_LANG", "zh")
    assert "✓ 可信" in said.text()
    assert said.text().startswith("中心签名证书\n")
    monkeypatch.setenv("LIUHE_LANG", "en")
    assert "✓ trusted" in said.text()
    assert said.data()["trusted"] is True


def test_faults_are_named(house: Any) -> None:
    gone = Revoked(house.leaf.serial, house.now, "key-compromise")
    revoked = explain.explain(house.leaf, house.now, house.store(crls=house.crls(issuer=(gone,))))
    assert "key compromise" in revoked.problems[0].en
    assert "私钥泄露" in revoked.problems[0].zh
    ended = explain.explain(house.leaf, house.now + 400 * DAY)
    assert "ended" in ended.problems[0].en
    assert "days ago" in next(line for line in ended.lines if line.name == "ends").text.en
    assert not ended.trusted
    soon = explain.explain(house.leaf, house.now + 280 * DAY)
    assert any("renew" in note.en for note in soon.notes)


def test_without_a_folder_of_trust_nothing_is_called_trusted(house: Any) -> None:
    said = explain.explain(house.leaf, house.now)
    assert not said.trusted
    assert "✓" not in said.text()
    assert any("not checked" in note.en for note in said.notes)


def test_authorities_and_strangers(house: Any) -> None:
    root = explain.explain(house.root, house.now, house.store())
    assert root.trusted
    assert next(line for line in root.lines if line.name == "issuer").text.en == "itself (a root)"
    assert explain.explain(house.issuer, house.now, house.store()).trusted
    stranger = house.forge(house.leaf, house.issuer_key, extensions={"2.5.29.17": None})
    said = explain.explain(stranger, house.now, house.store())
    assert said.title.en == "certificate, of another profile"
    assert any("no kind of ours" in note.en for note in said.notes)


def test_requests(house: Any) -> None:
    der = request_der(house.key, "person", Subject(common_name="王", id="wang", unit="网信办"))
    good = explain.explain_request(read_request(der))
    assert not good.problems
    assert "网信办" in good.text()
    bad = explain.explain_request(read_request(der[:-1] + bytes((der[-1] ^ 1,))))
    assert bad.problems


def test_lists(house: Any) -> None:
    entries = [Revoked(n + 1, house.now - n * DAY, "superseded") for n in range(60)]
    crl = make_crl(house.issuer, house.issuer_key, entries, number=5, now=house.now)
    said = explain.explain_crl(crl, house.now)
    assert len(said.lines) == 5 + explain.REVOKED_SHOWN_MAX
    assert not said.problems
    assert explain.explain_crl(crl, house.now + 8 * DAY).problems


@settings(max_examples=60, deadline=None)
@given(data=st.data())
def test_whatever_can_be_read_can_be_explained(house: Any, data: st.DataObject) -> None:
    der = bytearray(house.leaf.der)
    for _ in range(data.draw(st.integers(1, 3))):
        der[data.draw(st.integers(0, len(der) - 1))] ^= data.draw(st.integers(1, 255))
    try:
        certificate = read_certificate(bytes(der))
    except BadInput:
        return
    text = explain.explain(certificate, house.now, house.store()).text()
    assert text.isprintable() or all(char.isprintable() or char == "\n" for char in text)
