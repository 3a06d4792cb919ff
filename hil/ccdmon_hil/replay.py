"""Stub"""

from ccdmon_hil.image import build_into_cache, find_image

__all__ = ["build_into_cache", "find_image"]
