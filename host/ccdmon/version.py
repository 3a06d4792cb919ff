"""The version of this package, as in pyproject.toml; here so that no module inside imports the package's face."""

__version__ = "0.1.0"
