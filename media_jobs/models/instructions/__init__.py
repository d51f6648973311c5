"""Of the Instrlabs API: instructions, products, messages, and what is stored."""
