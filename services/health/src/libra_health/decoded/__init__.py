"""What checks of binary protocols send and hear, in words: file name = config word."""
