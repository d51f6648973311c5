"""What is wrong with an encrypted connection, in words that name the cause."""

from enum import StrEnum


class TlsFault(StrEnum):
    """What a setting is to blame for."""

    UNTRUSTED = "its certificate is not trusted by this host"
    OTHER_NAME = "its certificate is for another host name"
    NO_TLS = "it does not speak TLS"


#: In the words of OpenSSL, which come through every library.
_WORDS = (
    ("hostname mismatch", TlsFault.OTHER_NAME),
    ("doesn't match", TlsFault.OTHER_NAME),
    ("is not valid for", TlsFault.OTHER_NAME),
    ("certificate_verify_failed", TlsFault.UNTRUSTED),
    ("certificate verify failed", TlsFault.UNTRUSTED),
    ("wrong_version_number", TlsFault.NO_TLS),
    ("wrong version number", TlsFault.NO_TLS),
    ("record layer failure", TlsFault.NO_TLS),
    ("server does not support ssl", TlsFault.NO_TLS),
)


def fault_of(error: BaseException) -> TlsFault | None:
    """Return what `error`, or what it came of, says about TLS; None where that is not what is wrong."""
    cause: BaseException | None = error
    for _ in range(8):
        if cause is None:
            return None
        said = str(cause).lower()
        for words, fault in _WORDS:
            if words in said:
                return fault
        cause = cause.__cause__ or cause.__context__
    return None
