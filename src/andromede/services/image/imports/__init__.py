"""Imports: how data come to an image besides PUT …/file, and the tasks that tell of it."""
