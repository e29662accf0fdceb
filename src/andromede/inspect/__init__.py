"""Inspection of what customers upload: hostile bytes, read in a jail. Imports no service."""
