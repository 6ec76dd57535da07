"""Live media: cameras, networks, windows, virtual cameras, recordings. Nothing here waits for a file's end."""
