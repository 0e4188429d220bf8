"""Bytes to named values, for logs and inventories alike."""
