"""Evidence: what the cloud can show of a project's data, signed, readable, and verified offline."""
