"""The QR code a device takes its secret from, drawn here: nothing is fetched, nothing leaves."""

import segno


def qr_image(uri: str) -> str:
    """``uri`` as an SVG image in a ``data:`` address, dark on white in either theme."""
    code = segno.make(uri, error="m", micro=False)
    return str(code.svg_data_uri(scale=4, border=4, dark="#000", light="#fff", xmldecl=False))
