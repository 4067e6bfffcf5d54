"""What the system costs, counted and timed on the machine that it runs on. See docs/performance.md."""
