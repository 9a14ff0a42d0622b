"""Measurements, one command each: ``python -m tests.benchmarks.NAME``; the last line printed is JSON."""
