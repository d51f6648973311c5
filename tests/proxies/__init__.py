"""Real proxies with TLS in front of a live service, with the settings that docs/proxies.md has, and honest traffic."""
