"""The verbs that make a rig and speak to its board."""
