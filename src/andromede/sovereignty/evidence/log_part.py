"""What evidence says of its log bundle, worked out from the bundle alone: by who makes it, and again by
who verifies it. Pure."""

from __future__ import annotations

from collections.abc import Sequence

from msgspec import UNSET

from andromede.sovereignty.evidence.model import Cosigned, LogPart
from andromede.sovereignty.log import note
from andromede.sovereignty.log.bundle import Bundle
from andromede.sovereignty.log.note import Verifier


def told(log: Bundle) -> LogPart:
    """Its checkpoint, how many leaves there are, and which witnesses cosigned what.

    Errors: NoteError when a checkpoint or a witness's key is malformed, or a signature is false.
    """
    asked = [note.verifier(each) for each in log.witnesses]
    newest = _signed(log.checkpoint, asked) if log.checkpoint else Cosigned(size=0, witnesses=())
    before = [each for each in (_signed(text, asked) for text in log.earlier) if each.witnesses]
    cosigned = max(before, key=lambda each: each.size, default=None)
    return LogPart(
        size=newest.size,
        checkpoint=log.checkpoint or "",
        leaves=len(log.leaves),
        pending=sum(each.index is None for each in log.leaves),
        witnesses=newest.witnesses,
        cosigned=UNSET if newest.witnesses or cosigned is None else cosigned,
    )


def _signed(text: str, asked: Sequence[Verifier]) -> Cosigned:
    signed = note.parse(text)
    names = tuple(each.name for each in note.signed_by(signed, asked))
    return Cosigned(size=note.read_checkpoint(signed.text).size, witnesses=names)
