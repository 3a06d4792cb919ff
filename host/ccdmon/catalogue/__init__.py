"""Many cells: each a row of a catalogue, judged by processes that may die, and compared between versions."""
