"""Dates and times with their zone, everywhere alike."""

DATETIME_FORMAT = "j F Y, H:i e"
SHORT_DATETIME_FORMAT = "j M Y, H:i e"
DATE_FORMAT = "j F Y"
SHORT_DATE_FORMAT = "j M Y"
