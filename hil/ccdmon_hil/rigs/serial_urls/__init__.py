"""Serial ports of our own, which pyserial finds by the scheme of their URL."""
