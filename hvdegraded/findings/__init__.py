"""Events and verdicts grouped to findings, and how findings are shown."""
