"""Moving a live site over to this service: switches for a part of its visitors."""
