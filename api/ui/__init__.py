"""The console: pages for people, made on the server from the same API that machines use."""
