"""What an upload leaves beside its original: forms for direct uploads, answers to repeated requests."""
