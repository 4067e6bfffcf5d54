"""A metal-parts job shop: its real shop-floor reports, and the master data that follows from them."""
