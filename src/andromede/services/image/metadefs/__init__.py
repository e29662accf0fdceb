"""Metadata definitions: the catalogue of properties that images, flavors and servers may carry."""
