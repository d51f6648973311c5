"""What RQ knows: wake-ups, and the workers that answer them."""
