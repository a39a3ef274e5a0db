"""One module per kind of sink, file name = config word: `deliver(...) -> Outcome`."""
