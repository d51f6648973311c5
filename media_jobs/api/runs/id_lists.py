"""Requests whose body is a list of ids, as text/csv."""

import codecs
from typing import Any

from rest_framework.parsers import BaseParser

from media_jobs.errors import BadRequest
from media_jobs.services.runs import id_lists

#: So many ids are held in memory at once; each line may have other columns, too.
MOST_IDS = 100_000
_MOST_CHARACTERS = 20_000_000


class CsvParser(BaseParser):
    """Reads ids; the fields of such a request are in its query."""

    media_type = "text/csv"

    def parse(self, stream: Any, media_type: str | None = None, parser_context: Any = None) -> Any:
        try:
            text = codecs.getreader("utf-8")(stream).read(_MOST_CHARACTERS + 1, _MOST_CHARACTERS + 1)
        except UnicodeDecodeError as error:
            raise BadRequest("The list is not in UTF-8.") from error
        if len(text) > _MOST_CHARACTERS:
            raise BadRequest("The list is too large.")
        return {"image_ids": list(id_lists.read(text.splitlines(), most=MOST_IDS))}
