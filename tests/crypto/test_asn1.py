"""DER: the one encoding is taken, everything else is BadInput, nothing else ever leaves."""

import pytest
from asn1crypto import core
from hypothesis import given, settings
from hypothesis import strategies as st

from crypto import asn1
from crypto.words import BadInput

BYTES_MAX = 100_000


def wrap(tag: int, data: bytes) -> bytes:
    size = len(data)
    digits = size.to_bytes(max(1, -(-size.bit_length() // 8)))
    return bytes((tag,)) + (b"" if size < 0x80 else bytes((0x80 | len(digits),))) + digits + data


def refused(der: bytes, **limits: int) -> bool:
    try:
        asn1.check(der, **{"bytes_max": BYTES_MAX, **limits})
    except BadInput as error:
        return error.code == "der-malformed"
    return False


@pytest.mark.parametrize(
    "der",
    [
        b"",
        b"\x30",
        b"\x30\x80\x00\x00",  # indefinite length
        b"\x30\x81\x01\x05",  # long form of a short length
        b"\x30\x82\x00\x80" + bytes(128),  # leading zero in the length
        b"\x30\x85\x01\x00\x00\x00\x00",  # five digits of length
        b"\x30\xff",
        b"\x04\x7fabc",  # longer than the data
        b"\x05\x00\x00",  # something after the end
        b"\x10\x00",  # SEQUENCE that is primitive
        b"\x24\x03\x04\x01a",  # OCTET STRING that is constructed
        b"\x1f\x81\x01\x00",  # tag of several bytes
        b"\x00\x00",
        b"\x01\x01\x01",  # BOOLEAN neither 00 nor FF
        b"\x02\x00",
        b"\x02\x02\x00\x01",  # INTEGER with a spare zero
        b"\x02\x02\xff\x80",
        b"\x03\x00",
        b"\x03\x02\x08\x00",  # eight unused bits
        b"\x03\x02\x01\x01",  # an unused bit that is set
        b"\x03\x01\x01",
        b"\x05\x01\x00",
        b"\x06\x00",
        b"\x06\x02\x2a\x81",  # an arc that does not end
        b"\x06\x03\x2a\x80\x01",  # an arc with a leading zero
        b"\x06\x41" + b"\x2a" * 65,
        b"\x30\x03\x02\x01",
    ],
)
def test_what_is_not_der_is_refused(der: bytes) -> None:
    assert refused(der)


@pytest.mark.parametrize(
    "der",
    [
        b"\x30\x00",
        b"\x02\x01\x00",
        b"\x02\x02\x00\x80",
        b"\x02\x01\xff",
        b"\x03\x02\x07\x80",
        b"\x01\x01\xff",
    ],
)
def test_what_is_der_is_taken(der: bytes) -> None:
    asn1.check(der, bytes_max=BYTES_MAX)
    asn1.check(wrap(0x30, der * 40), bytes_max=BYTES_MAX)


def test_limits() -> None:
    nested = b"\x05\x00"
    for _ in range(asn1.DEPTH_MAX):
        nested = wrap(0x30, nested)
    asn1.check(nested, bytes_max=BYTES_MAX)
    deep = nested
    for _ in range(10_000):
        deep = wrap(0xA0, deep)
    assert refused(deep, bytes_max=1 << 20)
    assert refused(wrap(0x30, nested))
    assert refused(wrap(0x30, b"\x05\x00" * 10), elements_max=10)
    assert refused(wrap(0x04, bytes(100)), bytes_max=101)
    assert refused(b"\x30\x84\xff\xff\xff\xff")


@settings(max_examples=60, deadline=None)
@given(st.binary(max_size=300))
def test_random_bytes_give_bad_input_only(data: bytes) -> None:
    try:
        asn1.check(data, bytes_max=200)
    except BadInput:
        return
    core.load(data, strict=True)  # what passes, a parser reads


TREES = st.recursive(
    st.one_of(
        st.integers(-(1 << 80), 1 << 80).map(lambda number: core.Integer(number).dump()),
        st.binary(max_size=200).map(lambda data: wrap(4, data)),
        st.booleans().map(lambda flag: core.Boolean(flag).dump()),
        st.sampled_from([asn1.SM2_WITH_SM3, asn1.PBES2]).map(lambda oid: core.ObjectIdentifier(oid).dump()),
        st.just(b"\x05\x00"),
    ),
    lambda inner: st.tuples(st.sampled_from([0x30, 0x31, 0xA0]), st.lists(inner, max_size=5)).map(
        lambda both: wrap(both[0], b"".join(both[1]))
    ),
    max_leaves=30,
)


@settings(max_examples=60, deadline=None)
@given(TREES)
def test_every_tree_of_der_passes(der: bytes) -> None:
    asn1.check(der, bytes_max=BYTES_MAX)


@settings(max_examples=60, deadline=None)
@given(TREES, st.data())
def test_a_changed_tree_passes_or_is_bad_input(der: bytes, data: st.DataObject) -> None:
    changed = bytearray(der)
    changed[data.draw(st.integers(0, len(der) - 1))] ^= data.draw(st.integers(1, 255))
    try:
        asn1.check(bytes(changed), bytes_max=BYTES_MAX)
    except BadInput:
        pass


def test_load_and_reading_turn_parser_errors_into_bad_input() -> None:
    assert asn1.load(core.Integer, b"\x02\x01\x05", bytes_max=10).native == 5
    for error in (ValueError("x"), KeyError("x"), TypeError(), RecursionError(), OverflowError()):
        with pytest.raises(BadInput, match="der-malformed"), asn1.reading("thing"):
            raise error
    with pytest.raises(BadInput), asn1.reading():
        core.Integer.load(b"\x04\x01a", strict=True)
    with pytest.raises(KeyboardInterrupt), asn1.reading():
        raise KeyboardInterrupt
