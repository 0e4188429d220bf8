"""Bytes to records: one package for each format."""
