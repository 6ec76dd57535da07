"""What a user asks for as a whole: swap a file, list its faces, inspect it, look after the installation."""
