"""The page in the browser: what the server gives out, word by word."""
