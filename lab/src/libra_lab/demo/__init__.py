"""The demo: LibrA's main job told as a story on a real kernel, every step checked by its effect."""
