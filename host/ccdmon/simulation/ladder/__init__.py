"""A second simulated world, with other physics than `simulation.physics`: never used to tune the analysis.

The cell is a ladder of distributed relaxations whose parameters wander, with an open-circuit voltage of its
own where it has one (`cell`, `open_circuit`); what goes wrong has other shapes (`faults`); the cycler samples
on time and on a change of the voltage, with ranges and converters (`cycler`, `converters`). `kinds` lists what
a seed can stand for, `generate` makes a trace with its truth:

    python -m ccdmon.simulation.ladder --list
    python -m ccdmon.simulation.ladder --kind leak_power_law --seed 3 --out F.bdf.csv
"""
