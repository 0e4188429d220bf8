"""Verdicts on events, and the rules behind them."""
