"""What of a URL may be shown, recorded and kept: no login, and no value that could be a password."""

from __future__ import annotations

import re
from typing import Final

__all__ = ["without_secrets"]

URL: Final = re.compile(r"(?!file:)([a-z][a-z0-9+.-]+://)(.*)", re.IGNORECASE | re.DOTALL)
HOST: Final = re.compile(r"\[[^\]]*\]|[^:@]*")
"""The host alone: nothing before it, and no port."""
PORT: Final = re.compile(r"(?:\[[^\]]*\]|[^:@]*):\d{1,5}")
IN_PATH: Final = re.compile(r"([a-z]+)=(.*?)(?=[&;]|_[a-z]+=|$)", re.IGNORECASE | re.DOTALL)
"""Some cameras want their query as a part of the path: ``/user=me_password=secret_channel=1``."""
HARMLESS: Final = frozenset(
    "resolution size width height w h fps framerate rate channel ch camera cam input source view stream "
    "subtype profile format fmt codec videocodec compression quality bitrate mode action color rotation "
    "mirror video audio proto transport unicast timeout latency listen reuse ttl buffer_size fifo_size "
    "pkt_size".split()
)
"""Keys whose values tell how a picture is sent; whatever else a key is called, its value stays hidden."""
PLAIN: Final = re.compile(r"[\w.,:-]{0,24}")
"""What the value of such a key looks like."""
HIDDEN: Final = "***"


def without_secrets(text: str) -> str:
    """Return a source without login, and with *** for each value of the query that is not known as harmless.

    Scheme, host, port and path stay. Where a password may hold a ``/``, all before the last ``@`` is taken
    for the login. What is no URL, such as a file or a camera's number, is returned as it is.
    """
    found = URL.fullmatch(text)
    if found is None:
        return text
    path, mark, query = _without_login(found[2]).partition("?")
    path, sharp, _ = path.partition("#")
    path = IN_PATH.sub(lambda pair: f"{pair[1]}={_shown(pair[1], pair[2])}", path)
    if sharp:
        path += sharp + HIDDEN
    parts = re.split(r"([&;#])", query) if mark else []
    return found[1] + path + mark + "".join(part if part in "&;#" else _parameter(part) for part in parts)


def _without_login(rest: str) -> str:
    """Return what follows the scheme from the host on."""
    first = re.split(r"[/?#]", rest, maxsplit=1)[0]
    if HOST.fullmatch(first):
        return rest
    before = re.split(r"[?#]", rest, maxsplit=1)[0]
    if "@" not in before and not PORT.fullmatch(first):
        before = rest
    return rest[before.rfind("@") + 1 :]


def _parameter(part: str) -> str:
    """Return one part of a query; a word by itself may be a password, too."""
    key, equals, value = part.partition("=")
    if equals:
        return f"{key}={_shown(key, value)}"
    return part if part.lower() in HARMLESS else HIDDEN


def _shown(key: str, value: str) -> str:
    return value if key.lower() in HARMLESS and PLAIN.fullmatch(value) else HIDDEN
