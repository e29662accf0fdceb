"""Handlers of consents and of emergencies."""
