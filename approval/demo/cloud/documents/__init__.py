"""The documents in which the API describes things."""
