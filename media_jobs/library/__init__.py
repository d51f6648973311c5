"""What curators look through: pictures by filter, and failures by what to do about them."""
