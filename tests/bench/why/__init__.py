"""How well the reasons of a report are told, on simulated cells of both worlds: `python -m tests.bench.why`."""
