"""The critical current density of many cells: intervals, their curve, median and differences."""
