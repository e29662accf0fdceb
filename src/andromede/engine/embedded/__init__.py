"""The engine that runs servers on this host: QEMU, bridges, namespaces, files."""

from __future__ import annotations

from andromede.engine.embedded.engine import EmbeddedEngine

__all__ = ["EmbeddedEngine"]
