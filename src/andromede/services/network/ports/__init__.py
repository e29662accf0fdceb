"""Ports: attachments to a network."""
