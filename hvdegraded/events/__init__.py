"""Typed models of Hyper-V events, one module per family."""
