"""The host's tests as on a system without what only Unix has: `pytest -p tests.any_pc.plugin tests/host`."""
