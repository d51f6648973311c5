"""IPTC's digital source types: how a picture was made, and which of them the law calls made or changed by AI."""

BASE = "http://cv.iptc.org/newscodes/digitalsourcetype/"
#: Those that people choose among, by IPTC's code: https://cv.iptc.org/newscodes/digitalsourcetype/
LABELS = {
    "digitalCapture": "Photograph",
    "negativeFilm": "Scan of a negative",
    "positiveFilm": "Scan of a slide",
    "print": "Scan of a print",
    "humanEdits": "Photograph, edited by a person",
    "composite": "Composed of several pictures",
    "digitalCreation": "Drawn by a person, by computer",
    "algorithmicallyEnhanced": "Enhanced by an algorithm",
    "compositeWithTrainedAlgorithmicMedia": "Changed by AI",
    "trainedAlgorithmicMedia": "Made by AI",
}
_BY_AI = ("trainedAlgorithmicMedia", "compositeWithTrainedAlgorithmicMedia", "compositeSynthetic")
#: As they stand in files, whose addresses begin with http or https.
BY_AI = tuple(f"{scheme}{BASE.removeprefix('http')}{code}" for scheme in ("http", "https") for code in _BY_AI)


def label(uri: str) -> str:
    """Say in words how a picture was made; the code of what has no words here."""
    code = uri.rpartition("/")[2]
    return LABELS.get(code, code)


def is_by_ai(uri: str) -> bool:
    return uri in BY_AI
