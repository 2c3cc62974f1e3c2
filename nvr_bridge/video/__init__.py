"""Streams in, pictures out: the decoding thread of a camera, and the gate that says whether anything moves."""
