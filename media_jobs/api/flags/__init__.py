"""/v1/flags, and OpenFeature's remote evaluation protocol below /ofrep/v1."""
