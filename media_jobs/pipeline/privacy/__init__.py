"""The metadata of pictures: what is read, kept, dropped, written again, and proved absent."""
