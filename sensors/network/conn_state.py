"""How a conversation went, in the words of Zeek's conn log.

S0 no answer, S1 open, SF opened and closed, REJ refused, S2/S3 half closed by originator/responder,
RSTO/RSTR reset by them, RSTOS0/RSTRH reset without an opening from the other side, SH/SHR closed likewise,
OTH the rest.
"""

from typing import Final

from sensors.network.flow import Flow
from sensors.network.packet import ACK, FIN, RST, SYN, TCP, UDP

_SILENT, _PARTIAL, _ASKED, _OPEN, _CLOSED, _RESET = range(6)
_NOT_OPENED: Final = (_SILENT, _PARTIAL)


def conn_state(flow: Flow) -> str:
    """The state of the flow as far as it was seen."""
    if flow.key[0] == UDP:
        asked, answered = flow.packets[0] > 0, flow.packets[1] > 0
        return "SF" if asked and answered else "S0" if asked else "SHR"
    if flow.key[0] != TCP:
        return "OTH"
    originator_state, responder_state = _sides(flow)
    if _RESET in (originator_state, responder_state):
        return _reset_state(flow, originator_state, responder_state)
    return _ended_state(originator_state, responder_state)


def _reset_state(flow: Flow, originator: int, responder: int) -> str:
    if responder == _RESET:
        if originator == _ASKED or (originator == _RESET and not any(flow.payload_bytes)):
            return "REJ"
        return "RSTRH" if originator in _NOT_OPENED else "RSTR"
    return "RSTOS0" if responder in _NOT_OPENED else "RSTO"


def _ended_state(originator: int, responder: int) -> str:
    if originator == _CLOSED:
        if responder == _CLOSED:
            return "SF"
        return "SH" if responder in _NOT_OPENED else "S2"
    if responder == _CLOSED:
        return "SHR" if originator in _NOT_OPENED else "S3"
    if (originator, responder) == (_ASKED, _SILENT):
        return "S0"
    return "S1" if (originator, responder) == (_OPEN, _OPEN) else "OTH"


def _sides(flow: Flow) -> tuple[int, int]:
    asked = bool(flow.seen_flags[0] & SYN)
    answered = bool(flow.seen_flags[1] & SYN and flow.seen_flags[1] & ACK)
    states = []
    for side, began in ((0, asked), (1, answered)):
        flags = flow.seen_flags[side]
        if flags & RST:
            states.append(_RESET)
        elif flags & FIN:
            states.append(_CLOSED)
        elif began:
            states.append(_OPEN if asked and answered else _ASKED)
        else:
            states.append(_PARTIAL if flow.packets[side] else _SILENT)
    return states[0], states[1]
