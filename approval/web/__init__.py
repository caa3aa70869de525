"""The web side: thin views over the use cases. No view does outside work."""
