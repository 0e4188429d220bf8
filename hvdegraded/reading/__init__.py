"""Files, folders, patterns and streams, read by one process or several."""
