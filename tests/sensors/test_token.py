"""A token survives copy and paste, says when it did not, and never shows its secret."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from crypto.words import BadInput
from sensors.token import Token, decode_token, encode_token

TOKEN = Token(addresses=["10.0.0.1:8610"], authority=bytes(32), id="abc", secret=b"s" * 32)
TEXT = encode_token(TOKEN)


def test_a_token_comes_back_and_hides_its_secret() -> None:
    found = decode_token(f"  {TEXT}\n")
    assert (found.addresses, found.id, found.secret) == (TOKEN.addresses, TOKEN.id, TOKEN.secret)
    assert "sss" not in repr(found)


@settings(max_examples=60, deadline=None)
@given(at=st.integers(0, len(TEXT) - 1), to=st.sampled_from("ABCxyz019-_. \n"), cut=st.booleans())
def test_an_altered_token_is_refused_without_repeating_it(at: int, to: str, cut: bool) -> None:
    altered = TEXT[:at] if cut else TEXT[:at] + to + TEXT[at + 1 :]
    if altered.strip() == TEXT:
        return
    try:
        found = decode_token(altered)
    except BadInput as error:
        assert TEXT[10:30] not in str(error)  # noqa: PT017 - either outcome is right, a leak is not
        return
    assert (found.id, found.secret) == (TOKEN.id, TOKEN.secret)  # an unused bit of the last letter


@settings(max_examples=60, deadline=None)
@given(text=st.text(max_size=60))
def test_any_text_raises_only_bad_input(text: str) -> None:
    with pytest.raises(BadInput):
        decode_token("LH1." + text)
