"""Each action's plan: from words to what would be written."""
