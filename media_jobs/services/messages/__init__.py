"""Messages by NATS: what is told to others, and what they ask for. `schemas/` has the form of each, versioned."""
