"""What clients reach: one WebSocket, the metrics page, and the announcement that says where they are."""
