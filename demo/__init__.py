"""The demo site: simulated cameras on real sockets, and the story of who walks where."""
