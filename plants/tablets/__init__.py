"""A plant for film-coated tablets: its real batches, and the master data that we assume for it."""
