"""Policies: texts that operators keep here for other services to read. This cloud reads none."""
