"""The store: tables and queries. SQL holds the truth; every write is one transaction."""
