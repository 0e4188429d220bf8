"""Windows event logs: .evtx files to records, and records to .evtx files."""
