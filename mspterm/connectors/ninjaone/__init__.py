"""NinjaOne, by its REST API v2."""
