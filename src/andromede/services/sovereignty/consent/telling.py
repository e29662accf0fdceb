"""What customers are told of operators' requests and emergencies, in both languages."""

from __future__ import annotations

from andromede import clock
from andromede.db import Connection
from andromede.sovereignty.consent import kinds, store
from andromede.sovereignty.findings import notices
from andromede.sovereignty.words import Text, join, text


def requested(connection: Connection, row: store.Row) -> None:
    """An operator asks for a consent."""
    told = text(
        "Operator {who} asks for your consent {id} to {what}. Reason: {reason}",
        "L'opérateur {who} demande votre consentement {id} pour {what}. Motif : {reason}",
        who=row["requested_by"], id=row["id"], what=_what(row), reason=row["reason"],
    )  # fmt: skip
    notices.open(connection, "consent", row["project_id"], told.fr, told.en)


def opened(connection: Connection, row: store.Row) -> None:
    """Two operators opened an emergency access."""
    told = text(
        "Emergency access {id}: operator {who}, approved by {second}, may {what} without your "
        "consent until {until}. Reason: {reason}",
        "Accès d'urgence {id} : l'opérateur {who}, avec l'approbation de l'opérateur {second}, "
        "peut {what} sans votre consentement jusqu'au {until}. Motif : {reason}",
        id=row["id"], who=row["requested_by"], second=row["granted_by"], what=_what(row),
        until=clock.iso(row["until"]), reason=row["reason"],
    )  # fmt: skip
    notices.open(connection, "emergency", row["project_id"], told.fr, told.en)


def _what(row: store.Row) -> Text:
    what = join(map(kinds.said, row["kinds"]), Text(", ", ", "))
    if not row["resource"]:
        return what
    return text("{what} of {place}", "{what} ({place})", what=what, place=row["resource"])
