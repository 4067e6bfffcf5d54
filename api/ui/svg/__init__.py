"""Pictures that the server draws: pure functions from data to SVG, for the screen and for paper."""
