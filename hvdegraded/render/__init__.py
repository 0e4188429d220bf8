"""Triage into text, HTML and pictures."""
