"""The same triage where many machines read: on Spark, and on any engine that maps and merges."""
