"""ConnectWise PSA (Manage), by its REST API 3.0."""
