"""What is kept in the private folder: keys, consents, the ledger of outputs, and for how long."""
