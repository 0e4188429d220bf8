"""Findings as text, page and pictures."""
