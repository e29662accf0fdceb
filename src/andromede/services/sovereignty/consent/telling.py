"""What customers are told of operators' requests and emergencies, in both languages."""

from __future__ import annotations

from andromede import clock
from andromede.db import Connection
from andromede.sovereignty.consent import store
from andromede.sovereignty.findings import notices

FRENCH = {
    "console": "voir la console", "output": "voir la sortie de console",
    "disk": "voir les disques et images", "user_data": "voir les données d'initialisation",
    "password": "voir les mots de passe", "snapshot": "voir les instantanés",
    "export": "voir les exports", "access": "ouvrir le projet à un utilisateur",
}  # fmt: skip
ENGLISH = {
    "console": "see the console", "output": "see the console's output",
    "disk": "see disks and images", "user_data": "see user data", "password": "see passwords",
    "snapshot": "see snapshots", "export": "see exports",
    "access": "open the project to a user",
}  # fmt: skip


def requested(connection: Connection, row: store.Row) -> None:
    """An operator asks for a consent."""
    what = _what(row)
    notices.open(
        connection, "consent", row["project_id"],
        f"L'opérateur {row['requested_by']} demande votre accord {row['id']} pour {what[0]}. "
        f"Motif : {row['reason']}",
        f"Operator {row['requested_by']} asks for your consent {row['id']} to {what[1]}. "
        f"Reason: {row['reason']}",
    )  # fmt: skip


def opened(connection: Connection, row: store.Row) -> None:
    """Two operators opened an emergency access."""
    what, until = _what(row), clock.iso(row["until"])
    notices.open(
        connection, "emergency", row["project_id"],
        f"Accès d'urgence {row['id']} : l'opérateur {row['requested_by']}, avec l'approbation de "
        f"{row['granted_by']}, peut {what[0]} sans votre accord jusqu'au {until}. "
        f"Motif : {row['reason']}",
        f"Emergency access {row['id']}: operator {row['requested_by']}, approved by "
        f"{row['granted_by']}, may {what[1]} without your consent until {until}. "
        f"Reason: {row['reason']}",
    )  # fmt: skip


def _what(row: store.Row) -> tuple[str, str]:
    place = row["resource"]
    fr = ", ".join(FRENCH[each] for each in row["kinds"]) + (f" ({place})" if place else "")
    en = ", ".join(ENGLISH[each] for each in row["kinds"]) + (f" of {place}" if place else "")
    return fr, en
