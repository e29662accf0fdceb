"""Andromède: a sovereign cloud that starts with one command and proves what it promises."""

__version__ = "0.1.0"
