"""Takes out of installed packages what the service never loads: `prune.py SITE_PACKAGES [KEPT …]`.

`CUTS` has the reasons; KEPT names packages that are left whole.

The image's smoke test is what proves each cut: it walks the API and the admin, and renders every kind of picture.
Shared libraries that nothing needs any more go by themselves, and one that is missing then is an error.
"""

import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

#: Glob below site-packages: why the service does without it. `!` before a glob keeps what an earlier one took.
CUTS = {
    "**/__pycache__": "compiled anew, without the checks of times",
    "pip": "nothing is installed any more",
    "pip-*.dist-info": "– its description",
    "**/*.pyi": "types, for checkers",
    "**/*.pyx": "sources of what is compiled",
    "**/*.pxd": "– for those who compile",
    "**/*.h": "– the same",
    "**/*.a": "– the same",
    "**/*.map": "for debuggers of browsers",
    # What is shipped for its own tests; `django/test` is none.
    "{certifi,croniter,csp,django_prometheus,jsonschema_specifications,referencing,jsonschema}/**/tests": "their tests",
    "{certifi,croniter,csp,django_prometheus,jsonschema_specifications,referencing}/tests": "their tests",
    # botocore describes 400 services; the service calls S3, and STS for who it is.
    "botocore/data/*/": "services of AWS that nobody calls",
    "!botocore/data/s3": "pictures",
    "!botocore/data/sts": "credentials of a role",
    "boto3/data/*/": "resources of other services",
    "!boto3/data/s3": "what django-storages calls",
    "boto3/examples": "texts of a documentation that is made at run time",
    # Pages are in English.
    "django/conf/locale/*/": "languages of pages",
    "!django/conf/locale/en": "the language of pages",
    "!django/conf/locale/en_GB": "– its dates",
    "**/locale/*/": "translations of packages",
    "!**/locale/en": "the language of pages",
    "!**/locale/en_GB": "– its dates",
    "django/contrib/gis": "maps",
    "django/conf/*_template": "what `startproject` copies",
    "django/contrib/admin/static/admin/js/vendor/select2/i18n/*": "translations",
    "!django/contrib/admin/static/admin/js/vendor/select2/i18n/en.js": "the language of pages",
    "unfold/contrib": "apps that are not installed",
    "rest_framework/static": "pages of an API that one can browse: ours are swagger-ui's",
    "drf_spectacular_sidecar/static/drf_spectacular_sidecar/redoc": "pages of the API in another form",
    # rich colours source code by it, in tracebacks.
    "pygments/lexers/*": "languages whose sources we do not show",
    "!pygments/lexers/__init__.py": "how one is found",
    "!pygments/lexers/_mapping.py": "– by which name",
    "!pygments/lexers/python.py": "the language of tracebacks",
    "!pygments/lexers/special.py": "text without a language",
    "!pygments/lexers/_*.py": "tables of others",
    # Pillow reads BMP, nothing else.
    "PIL/_imagingft.*.so": "text in pictures",
    "PIL/_imagingcms.*.so": "colours are libvips'",
    "PIL/_imagingmath.*.so": "arithmetic on pictures",
    "PIL/_imagingmorph.*.so": "– and on shapes",
    "PIL/_imagingtk.*.so": "windows",
    "PIL/_avif.*.so": "AVIF is libvips'",
    "PIL/_webp.*.so": "WebP is libvips'",
    # rawpy imports numpy for pixels that we never ask it for.
    "numpy/**/tests": "its tests",
    "numpy/_core/*_tests.*.so": "– their helpers",
    "numpy/_core/_simd.*.so": "– the same",
    "numpy/f2py": "wraps Fortran",
    "numpy/random": "random numbers",
    "numpy/fft": "Fourier transforms",
    "numpy/polynomial": "polynomials",
    "numpy/testing": "what tests are made with",
    "numpy/_core/lib": "– the same",
    "numpy/_pyinstaller": "for those who freeze",
    "rawpy/libraw_r.so": "a copy of the library",
    "rawpy/libraw_r.so.*.*.*": "– another one",
}
_BRACES = re.compile(r"\{([^}]*)\}")


def main(site: Path, *kept: str) -> None:
    before = _size(site)
    for path in sorted(to_be_cut(site)):
        if path.relative_to(site).parts[0] not in kept:
            remove(path)
    _strip(site)
    for library in unneeded_libraries(site):
        library.unlink()
    if absent := missing_libraries(site):
        sys.exit("\n".join(absent))
    print(f"{site}: {before / 1e6:.1f} MB, {_size(site) / 1e6:.1f} MB without what is never loaded")


def to_be_cut(site: Path) -> set[Path]:
    """What the table takes. Raises LookupError for a line that finds nothing: a package has changed."""
    found: set[Path] = set()
    for line in CUTS:
        kept = line.startswith("!")
        paths = {path for glob in _alternatives(line.lstrip("!")) for path in site.glob(glob)}
        if not paths:
            raise LookupError(f"nothing is called {line} any more")
        found = found - paths if kept else found | {path for path in paths if line[-1] != "/" or path.is_dir()}
    return found


def remove(path: Path) -> None:
    """It may lie in a folder that is gone."""
    if path.is_dir() and not path.is_symlink():
        shutil.rmtree(path)
    else:
        path.unlink(missing_ok=True)


def unneeded_libraries(site: Path) -> set[Path]:
    """Those in `NAME.libs` that nothing needs which is left, directly or through others."""
    libraries = {path.name: path for path in site.glob("*.libs/*.so*")}
    unseen = [path for path in objects(site) if path.name not in libraries]
    while unseen:
        unseen += [libraries.pop(name) for name in needs(unseen.pop()) if name in libraries]
    return set(libraries.values())


def missing_libraries(site: Path) -> list[str]:
    """A sentence about each module of which the dynamic linker does not find all libraries.

    Libraries find each other by the path that the module names.
    """
    found = []
    for path in (path for path in objects(site) if not path.parent.name.endswith(".libs")):
        said = subprocess.run(["ldd", str(path)], capture_output=True, text=True, check=False).stdout  # noqa: S603, S607
        found += [f"{path}: {line.strip()}" for line in said.splitlines() if "not found" in line]
    return found


def objects(site: Path) -> Iterator[Path]:
    """All shared objects, by their first bytes."""
    for path in site.rglob("*.so*"):
        if path.is_file() and not path.is_symlink() and path.read_bytes()[:4] == b"\x7fELF":
            yield path


def needs(path: Path) -> list[str]:
    said = subprocess.run(["readelf", "--dynamic", str(path)], capture_output=True, text=True, check=True).stdout  # noqa: S603, S607
    return re.findall(r"\(NEEDED\).*\[(.*)\]", said)


def _strip(site: Path) -> None:
    """Take out symbols for debuggers, file by file: a tool that refuses one stops the build."""
    for path in objects(site):
        subprocess.run(["strip", "--strip-unneeded", str(path)], check=True)  # noqa: S603, S607


def _alternatives(glob: str) -> list[str]:
    braces = _BRACES.search(glob)
    if not braces:
        return [glob]
    return [glob[: braces.start()] + name + glob[braces.end() :] for name in braces[1].split(",")]


def _size(site: Path) -> int:
    return sum(path.stat().st_size for path in site.rglob("*") if path.is_file() and not path.is_symlink())


if __name__ == "__main__":
    main(Path(sys.argv[1]), *sys.argv[2:])
