"""Finds out when a picture was taken, as EXIF, XMP and IPTC write dates. Impossible ones are empty."""

import re
from datetime import datetime

from media_jobs.pipeline.privacy import exif, iptc
from media_jobs.pipeline.privacy.exif import DETAIL, Exif
from media_jobs.pipeline.privacy.iptc import Iptc

_OFFSET = re.compile(r"Z|[+-](0[0-9]|1[0-4]):[0-5][0-9]")
_XMP_DATE = re.compile(r"(\d{4}-\d\d-\d\d)(?:T(\d\d:\d\d)(:\d\d)?(?:\.\d+)?(Z|[+-]\d\d:\d\d)?)?")
#: As written by programs that take EXIF's separators less seriously; the time or its seconds may be blank.
_EXIF_DATE = re.compile(r"(\d{4})[:/-](\d\d)[:/-](\d\d)(?:[ T](\d\d:\d\d)(:\d\d)?)?[ :]*", re.ASCII)
_MONTH = re.compile(r"([0-9]{4})(?:-(0[1-9]|1[0-2]))?")
_IPTC_TIME = re.compile(r"(\d{6})(?:([+-]\d\d)(\d\d))?")


#: Programs without a date write the first or the last that they can hold: in the years 1 and 9999.
_FIRST_YEAR, _LAST_YEAR = "1000", "9998"


def _moment(text: str, layout: str, offset: str = "") -> str:
    """A time as ISO 8601, with its offset from UTC where that is known and possible; empty where it is impossible."""
    try:
        moment = datetime.strptime(text, layout).isoformat()  # noqa: DTZ007  (local by nature)
    except ValueError:
        return ""
    if not _FIRST_YEAR <= moment[:4] <= _LAST_YEAR:
        return ""
    return moment + (offset if _OFFSET.fullmatch(offset) else "")


def _month(year: str, month: str) -> str:
    """A date of which no more is known than its year and perhaps its month, as ISO 8601: `1923`, `1923-05`."""
    parts = _MONTH.fullmatch(f"{year}-{month}" if month.strip("0 ") else year)
    return parts[0] if parts and _FIRST_YEAR <= parts[1] <= _LAST_YEAR else ""


def _exif_moment(text: str, offset: str) -> str:
    """As ISO 8601: a time, or a day whose time is blank."""
    parts = _EXIF_DATE.fullmatch(text)
    if parts is None:
        return ""
    day = ":".join(parts.group(1, 2, 3))
    if not parts[4]:
        return _moment(day, "%Y:%m:%d")[:10]
    return _moment(f"{day} {parts[4]}{parts[5] or ':00'}", "%Y:%m:%d %H:%M:%S", offset)


def exif_date(in_exif: Exif) -> tuple[str, str]:
    """When EXIF says that it was taken, and the names of the tags that say it."""
    offset = in_exif.text(DETAIL, exif.TAKEN_OFFSET).strip()
    text = in_exif.text(DETAIL, exif.TAKEN).strip()[:19]
    moment = _exif_moment(text, offset)
    if not moment and text[4:5] == ":" and not text[8:10].strip("0 "):  # unknown parts are blank, or zero
        return _month(text[:4], text[5:7]), "EXIF DateTimeOriginal"
    known = offset and moment.endswith(offset)
    return moment, "EXIF DateTimeOriginal" + ("+EXIF OffsetTimeOriginal" if known else "")


def xmp_date(text: str) -> str:
    """A date of XMP as ISO 8601. Days without a time stay so, and so do years and months without a day."""
    text = text.strip()
    parts = _XMP_DATE.fullmatch(text)
    if not parts:
        return _month(text[:4], text[5:]) if text[4:5] in ("", "-") else ""
    day, minutes, seconds, offset = parts.groups("")
    if not minutes:
        return _moment(day, "%Y-%m-%d")[:10]
    return _moment(f"{day}T{minutes}{seconds or ':00'}", "%Y-%m-%dT%H:%M:%S", offset)


def iptc_date(in_iptc: Iptc) -> tuple[str, str]:
    """When IPTC says that its content was made, and the names of the datasets that say it."""
    day, time = in_iptc.text(iptc.DATE_CREATED).strip(), _IPTC_TIME.fullmatch(in_iptc.text(iptc.TIME_CREATED).strip())
    if time:
        clock, hours, minutes = time.groups("")
        if moment := _moment(day + clock, "%Y%m%d%H%M%S", f"{hours}:{minutes}" if hours else ""):
            return moment, "IPTC DateCreated+IPTC TimeCreated"
    if len(day) == len("YYYYMMDD") and day.endswith("00"):  # IIM's way to say that the day is not known
        return _month(day[:4], day[4:6]), "IPTC DateCreated"
    return _moment(day, "%Y%m%d")[:10], "IPTC DateCreated"
