"""Hosts and guests that really negotiate, and log what a host would log: an oracle for the classifier.

Nothing here uses a table or a rule of the package: versions, offers and events are written down again from
section 4 and 6 of the domain facts. What those leave open (in which release between two read ones a version
came, what a Windows guest offers after its own version) is drawn by lot, so that a verdict must be right
whichever it is.

`versions` (who speaks what) → `negotiation` (what becomes of each offer) → `events` (what the host writes)
→ `world` (machines over time, and the truth of each event) → `inventories`, `logs` (what an administrator
has of it) → `oracle` (which verdicts are wrong).
"""
