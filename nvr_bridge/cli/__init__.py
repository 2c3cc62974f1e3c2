"""The command line. What talks to a running engine is light; what works on this machine loads the engine when called."""
