"""Fetch one file of known size and checksum; what lands under its final name is always whole and right."""

import hashlib
import os
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from bitwright.data.progress import Progress

CHUNK = 1 << 18
TIMEOUT = 30.0  # seconds without a byte before a server counts as gone


class FetchError(OSError):
    """A file could not be fetched; the message names the file, what was expected and how to do without fetching."""


@dataclass(frozen=True)
class RemoteFile:
    """A file to fetch.

    path: where it goes below the data root, as in "mnist/train-labels-idx1-ubyte.gz". urls: places to try, in order.
    n_bytes: its exact size. checksum: "sha256:<hex>", or the "md5:<hex>" that its authors publish.
    """

    path: str
    urls: tuple[str, ...]
    n_bytes: int
    checksum: str


def fetch(file: RemoteFile, root: Path) -> Path:
    """Download `file` to root/file.path and return that path; an existing file there is replaced.

    BITWRIGHT_MIRROR, a URL, replaces the file's own: <mirror>/<file.path>. The bytes go to a temporary name beside the
    target, are counted and hashed, and are renamed only when right, so a killed download leaves no half file behind
    its name. Raises FetchError if no place delivers the file (offline, 404, cut off, wrong checksum) or it cannot be
    written; nothing is kept then.
    """
    mirror = os.environ.get("BITWRIGHT_MIRROR")
    urls = (f"{mirror.rstrip('/')}/{file.path}",) if mirror else file.urls
    target = root / file.path
    problems = []
    for url in urls:
        try:
            return _fetch_from(url, file, target)
        except FetchError as problem:
            problems.append(str(problem))
    raise FetchError(
        f"fetch: no {target.name}: {'; '.join(problems)}. Expected {file.n_bytes:,} bytes with {file.checksum}. "
        f"Nothing was kept: try again, or put the file at {target}, or set BITWRIGHT_DATA to a folder that holds "
        f"{file.path}, or BITWRIGHT_MIRROR to a server that does"
    )


def _fetch_from(url: str, file: RemoteFile, target: Path) -> Path:
    import tempfile  # here, as below: fetching is rare, and importing what it needs is slow

    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        handle, temporary = tempfile.mkstemp(dir=target.parent, prefix=f".{target.name}.", suffix=".part")
    except OSError as error:
        raise FetchError(f"{target.parent} cannot be written ({error.strerror})") from error
    hash_name, _, expected = file.checksum.partition(":")
    digest = hashlib.new(hash_name)
    try:
        with os.fdopen(handle, "wb") as out:
            for chunk in _download(url, file):
                digest.update(chunk)
                out.write(chunk)
        if digest.hexdigest() != expected:
            raise FetchError(f"{url} delivered a file with checksum {digest.hexdigest()}: damaged, or another file")
        os.chmod(temporary, 0o644)  # mkstemp's 0600 would hide a shared cache from its other users
        os.replace(temporary, target)
        return target
    except FetchError:
        raise
    except OSError as error:
        raise FetchError(f"{target} cannot be written ({error.strerror})") from error
    finally:
        if os.path.exists(temporary):
            os.unlink(temporary)


def _download(url: str, file: RemoteFile) -> Iterator[bytes]:
    """The bytes of url, in pieces. Raises FetchError if they are not file.n_bytes or do not come."""
    from http.client import HTTPException
    from urllib.error import HTTPError, URLError
    from urllib.request import Request, urlopen

    received = 0
    try:
        request = Request(url, headers={"User-Agent": "bitwright"})
        with urlopen(request, timeout=TIMEOUT) as response, Progress(f"fetch {file.path}", file.n_bytes, "B") as bar:
            while (chunk := response.read(CHUNK)) and received <= file.n_bytes:
                received += len(chunk)
                bar.advance(len(chunk))
                yield chunk
    except HTTPError as error:
        raise FetchError(f"{url} answers {error.code} {error.reason}") from error
    except URLError as error:
        raise FetchError(f"{url} cannot be reached ({error.reason}); is this machine offline?") from error
    except (HTTPException, OSError) as error:
        raise FetchError(f"{url} was cut off after {received:,} bytes ({error!r})") from error
    except ValueError as error:
        raise FetchError(f"{url!r} is not a URL ({error})") from error
    if received < file.n_bytes:
        raise FetchError(f"{url} was cut off after {received:,} bytes")
    if received > file.n_bytes:
        raise FetchError(f"{url} delivers more than the expected bytes: another file")
