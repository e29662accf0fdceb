"""What is wrong with a cloud, as its parts report it to `doctor` and to tests. Touches nothing."""

from __future__ import annotations

from msgspec import Struct


class Finding(Struct, frozen=True, kw_only=True, order=True):
    """Something that is leaked or contradicts something else.

    `kind` is the noun in the singular, `subject` the id (or path) it concerns, `problem` what is
    seen, and `remedy` what a person does about it.
    """

    kind: str
    subject: str
    problem: str
    remedy: str


REPORT = "report it with the logs of this id: andromede logs"
WORKER = "the worker removes it within a minute; if it stays, read: andromede logs worker"
CONVERGES = "the worker makes it anew within a minute; if not, read: andromede logs worker"
