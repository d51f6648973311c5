"""The data directory is for its owner alone: the database in it has sessions, and the objects are originals."""

import os
import stat
from pathlib import Path

from gallimg_site.env_fields import ConfigError

#: Of whatever this process and its children make: nothing for group and others.
UMASK = 0o077
_FOR_OTHERS = stat.S_IRWXG | stat.S_IRWXO


def close_to_others(directory: Path) -> None:
    """Take the rights of group and others on a directory that was made beforehand. Raises ConfigError.

    Does nothing where there is none: whoever makes it makes it private.
    """
    try:
        found = directory.stat()
        if not stat.S_ISDIR(found.st_mode) or not found.st_mode & _FOR_OTHERS:
            return
        os.chmod(directory, stat.S_IMODE(found.st_mode) & ~_FOR_OTHERS)
    except FileNotFoundError:
        return
    except OSError as error:
        raise ConfigError(
            f"GALLIMG_DATA: got {str(directory)!r}, which others may enter and which is not ours to close "
            f"({error.strerror}); takes a directory of your own, such as {str(directory / 'gallimg')!r}"
        ) from error
