"""What a person's signature on a report stands for: its numbers and texts, not the look of a page."""

import msgspec

from compliance.report.model import Edition
from crypto.sm3 import sm3_hex


def model_bytes(edition: Edition) -> bytes:
    """The numbers as canonical JSON: the file they are kept in."""
    return msgspec.json.encode(edition.report, order="sorted")


def content_sm3(edition: Edition) -> str:
    """SM3 over the numbers and the texts; the same in every rendering, unchanged by signatures."""
    texts = {one.section: one.text for one in edition.sections if one.text}
    return sm3_hex(msgspec.json.encode({"report": edition.report, "texts": texts}, order="sorted"))
