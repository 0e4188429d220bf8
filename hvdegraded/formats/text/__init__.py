"""Text that administrators paste and export, to records."""
