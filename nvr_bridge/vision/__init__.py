"""Faces: the model pack, and the stages that run on it. One worker thread owns everything here that is loaded."""
