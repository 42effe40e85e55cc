"""What of a URL may be shown, recorded and kept: all but the password in it."""

from __future__ import annotations

import re
from typing import Final

__all__ = ["without_secrets"]

URL: Final = re.compile(r"(?!file:)[a-z][a-z0-9+.-]+://", re.IGNORECASE)
LOGIN: Final = re.compile(r"(?<=://)[^/]*@")
"""Name and password before the host; a password may hold an @ of its own."""
NAMED: Final = re.compile(r"((?:pas\w*|pwd|psw|token|secret|key)=).*?(?=[&;/?#]|_[a-z]+=|$)", re.IGNORECASE)
"""A value of the query or, as some cameras want it, of the path: ``/user=me_password=secret_channel=1``."""


def without_secrets(text: str) -> str:
    """Return a source without login, and with *** for each value that is called a password or the like.

    What is no URL, such as a file or a camera's number, is returned as it is.
    """
    return NAMED.sub(r"\1***", LOGIN.sub("", text)) if URL.match(text) else text
