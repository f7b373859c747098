"""A number that two people compare aloud to know that nobody is in between."""

from __future__ import annotations

import hashlib
import re

GROUPS = 12


def safety_number(local: str, remote: str) -> str | None:
    """From the descriptions of both ends, in either order. None if one has no fingerprint.

    A description may have several fingerprints, of which any may match (RFC 8122, section 5). So those of each end stay together: if they
    were put into one list, a man in the middle could add the fingerprint of the other end to its own, and both ends would see one number.
    """
    ends = sorted(_end(sdp) for sdp in (local, remote))
    if "" in ends:
        return None
    digest = hashlib.sha512("\n".join(ends).encode()).digest()
    groups = [int.from_bytes(digest[at : at + 5], "big") % 100_000 for at in range(0, GROUPS * 5, 5)]
    return " ".join(f"{group:05}" for group in groups)


def _end(sdp: str) -> str:
    """Wherever they stand: what a parser of SDP might take for one must not be missed, and whatever else is found makes the numbers differ."""
    found = re.findall(r"a=fingerprint:[^!-~]*([!-~]+)[^!-~]+([!-~]+)", sdp, re.ASCII | re.IGNORECASE)
    return " ".join(sorted({f"{hash} {value}".upper() for hash, value in found}))
