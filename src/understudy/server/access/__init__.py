"""Who may use the API, how much of it, and what is kept of what they did."""
