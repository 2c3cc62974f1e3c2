"""What is installed: finding devices, asking what they offer, choosing a stream. Nothing is ever written to a device."""
