"""What a consent lets an operator do, in words. Pure."""

from __future__ import annotations

from typing import Final

from andromede.sovereignty.words import Text, text

SAID: Final = {
    "console": text("see the console", "voir la console"),
    "output": text("see the console's output", "voir la sortie de la console"),
    "disk": text("see disks and images", "voir les disques et les images"),
    "user_data": text("see user data", "voir les données d'initialisation"),
    "password": text("see passwords", "voir les mots de passe"),
    "snapshot": text("see snapshots", "voir les instantanés"),
    "export": text("see exports", "voir les exports"),
    "access": text("open the project to a user", "ouvrir le projet à un utilisateur"),
}


def said(kind: str) -> Text:
    """A kind in words; an unknown one as it is."""
    return SAID.get(kind) or Text(kind, kind)
