"""What pictures tell besides their pixels: what is read, kept, dropped, written again, and proved absent."""
