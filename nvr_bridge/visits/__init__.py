"""Visits: linking sightings, counting returns."""
