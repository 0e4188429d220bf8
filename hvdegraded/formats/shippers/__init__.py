"""JSON and CSV of log shippers to records."""
