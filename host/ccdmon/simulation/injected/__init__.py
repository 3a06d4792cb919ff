"""The third world: failures injected by circuit into recordings of healthy cells.

A recording keeps its sampling, its noise and all that no simulation has; what a fault's circuit does to the
voltage is computed on the smoothed voltage, and the recording's own noise is put back. On your own recordings:

    python -m ccdmon.simulation.injected TRACE... [--rows FROM:TO] [--seeds 20] [--out DIR]
"""
