"""Consent: what an operator may see of a customer's data, for how long, and by whose leave."""
