"""Records of event logs, reports of a reading, and a place where records wait."""
