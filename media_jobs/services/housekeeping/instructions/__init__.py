"""What instructions leave behind: files past their time, room of dead uploads, lines of the ledger."""
