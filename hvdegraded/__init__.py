"""Sort a Hyper-V host's event logs into ignorable protocol-version mismatches and what needs action."""

__version__ = "0.1.0"
