"""MeshCentral, by its control websocket."""
