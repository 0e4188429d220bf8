"""Triage → something to look at."""
