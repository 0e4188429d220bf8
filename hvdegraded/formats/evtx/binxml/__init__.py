"""Binary XML, in which .evtx logs hold their events."""
