"""Durable work: one row per resource in motion, leased, stepped and recorded. Knows the database
only."""

from andromede.work.lifecycle import Done, Hop, Lifecycle, Nap, Outcome, PermanentError, Step
from andromede.work.reconcile import Reconciler
from andromede.work.runner import Runner
from andromede.work.store import intend

__all__ = [
    "Done",
    "Hop",
    "Lifecycle",
    "Nap",
    "Outcome",
    "PermanentError",
    "Reconciler",
    "Runner",
    "Step",
    "intend",
]
