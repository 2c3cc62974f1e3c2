"""NVR Bridge: consented visitor attribution for the cameras a property already has."""

__version__ = "0.1.0"
