"""Tests of soc_api.factor_qr."""

from soc_api.factor_qr import qr_image


def test_an_address_becomes_an_image_without_a_request() -> None:
    image = qr_image("otpauth://totp/A:b?secret=ABCD&algorithm=SM3")
    assert image.startswith("data:image/svg+xml")
    assert "ABCD" not in image
    assert image != qr_image("otpauth://totp/A:b?secret=ABCE&algorithm=SM3")
