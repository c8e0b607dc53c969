"""Measurements, not tests: ``python -m benchmarks.em``."""
