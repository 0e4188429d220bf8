"""Benchmarks: this library beside others, each contender in a process of its own, in one run."""
