"""Streaming analysis of cell traces, compiled."""
