"""The compliance pack: documents that a site needs, drafted from its live settings. A starting point, not legal advice."""
