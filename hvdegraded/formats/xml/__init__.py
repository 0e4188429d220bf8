"""Event XML to records."""
