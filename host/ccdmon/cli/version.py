"""`ccdmon --version`: package, firmware and schema versions."""

from ccdmon.version import __version__

DOCUMENT_SCHEMAS = ("ccdmon.report/2", "ccdmon.replay/1", "ccdmon.demo/1", "ccdmon.run/1", "ccdmon.rig/1")


def version_text() -> str:
    """Three lines: package, firmware with its wire protocol and settings schema, documents."""
    from ccdmon_fw import limits, wire

    return (
        f"ccdmon {__version__}\n"
        f"firmware {limits.VERSION} (settings schema {limits.SCHEMA}, wire protocol {wire.PROTOCOL})\n"
        f"schemas {' '.join(DOCUMENT_SCHEMAS)}"
    )
