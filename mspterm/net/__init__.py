"""HTTP and websocket, the same for every connector; knows no vendor."""
