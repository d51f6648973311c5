"""The sandboxed process, from the inside: how it gives up its rights, and its loop of requests and answers."""
