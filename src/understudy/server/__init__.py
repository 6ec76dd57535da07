"""What answers browsers: the studio's page, and who may ask for it."""
