"""Consent: the gate that permits, the keys that lock, the records that say who agreed to what."""
