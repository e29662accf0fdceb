"""Credentials of users: what they prove a second factor with, or hand to other services."""
