"""The decoder compared with other readers of .evtx logs."""
