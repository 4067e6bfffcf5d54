"""Pages without a network: the service worker, and the page of a terminal that kept none.

Which pages may be kept is said by `api/ui/keeping.py`.
"""

import hashlib
import json
from functools import lru_cache
from typing import Final

from fastapi import Request, Response

from api.routing import Router
from api.ui import shell
from wording.texts import LANGUAGES, Words

router = Router(prefix="/ui", include_in_schema=False)

WORKER: Final = "worker.js"


@lru_cache(maxsize=1)
def worker() -> str:
    """The worker's script. Another content of any asset makes another script, and so another worker."""
    apart = {WORKER, *(part for parts in shell.BUNDLES.values() for part in parts)}
    alone = {path.name for path in shell.STATIC.iterdir() if path.name not in apart and "andon" not in path.name}
    names = sorted(alone | shell.BUNDLES.keys())
    own = (shell.STATIC / WORKER).read_text(encoding="utf-8")
    files = [shell.asset(name) for name in names]
    release = hashlib.sha256("\n".join([*files, own]).encode()).hexdigest()[:16]
    return f"const RELEASE = {json.dumps(release)}, FILES = {json.dumps(files)};\n{own}"


@router.get("/worker.js")
def script() -> Response:
    """The service worker of the console; its scope is this folder. Browsers ask for it anew with every page."""
    return Response(worker(), media_type="text/javascript", headers={"cache-control": "no-cache"})


@router.get("/offline")
def nothing_kept(request: Request, language: str = "zh") -> Response:
    """What a terminal shows that has no network and no copy of the page."""
    chosen = language if language in LANGUAGES else LANGUAGES[0]
    return shell.page(request, "offline.html", t=Words(chosen), language=chosen, user=None, nav=(), flash=None)
