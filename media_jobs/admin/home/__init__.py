"""The first page: what needs me, what came lately, and how the service is."""
