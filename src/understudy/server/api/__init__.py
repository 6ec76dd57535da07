"""The API: photos, media, swaps and what is known of files, for programs that have a token."""
