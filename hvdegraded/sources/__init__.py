"""Bytes in, event records out; nothing in here knows Hyper-V."""
