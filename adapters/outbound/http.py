"""Messages over HTTP: an idempotency key, a signature, and the meaning of each answer.

Secrets come from the environment: `MES_ENDPOINT_SECRET_<CODE>` signs, `MES_ENDPOINT_TOKEN_<CODE>` stands for `{token}`
in the address (or `…_FILE` names a file); of a code, what is no letter or digit is an underscore.
"""

import json
import os
import re
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, Final

import httpx

from adapters.outbound import formats
from domain.errors import AdapterRefused, AdapterUnknown, AdapterUnreachable
from domain.outbound import Endpoint, MessageFormat

_LATER: Final = frozenset({408, 409, 423, 425, 429, 503})
"""Answers that say: nothing was done, come again. 409: the first delivery of the same key is still being worked on."""
_ROBOT_LATER: Final = frozenset({-1, 45009, 130101, 130103, 410100})
"""Error codes of robots that pass: busy, too many messages."""


class HttpReceiver:
    """Sends messages by POST. Redirects are not followed: a message goes where the configuration says."""

    def __init__(
        self, environment: Mapping[str, str] | None = None, *, clock: Callable[[], float] = time.time,
        transport: httpx.AsyncBaseTransport | None = None,
    ) -> None:  # fmt: skip
        self._environment = os.environ if environment is None else environment
        self._clock = clock
        self._client = httpx.AsyncClient(follow_redirects=False, transport=transport, trust_env=False)

    async def close(self) -> None:
        """Close the connections."""
        await self._client.aclose()

    async def send(self, endpoint: Endpoint, message_id: str, content: dict[str, Any]) -> None:
        """See `Receiver`."""
        body = json.dumps(content, ensure_ascii=False, separators=(",", ":"), sort_keys=True).encode()
        url, headers = self._addressed(endpoint, message_id, body)
        try:
            answer = await self._client.post(url, content=body, headers=headers, timeout=endpoint.timeout_seconds)
        except (httpx.InvalidURL, httpx.UnsupportedProtocol) as error:
            raise AdapterRefused("BAD_ADDRESS", type(error).__name__) from error
        except (httpx.ConnectError, httpx.ConnectTimeout, httpx.PoolTimeout) as error:
            raise AdapterUnreachable(endpoint.code, type(error).__name__) from error
        except httpx.HTTPError as error:
            # The message may have been taken before the line was lost or the time was over.
            raise AdapterUnknown(endpoint.code, type(error).__name__) from error
        _judge(endpoint, answer)

    def _addressed(self, endpoint: Endpoint, message_id: str, body: bytes) -> tuple[str, dict[str, str]]:
        url, headers = endpoint.url, {"Content-Type": "application/json; charset=utf-8"}
        if "{token}" in url:
            url = url.replace("{token}", self._secret("TOKEN", endpoint.code))
        if endpoint.format == MessageFormat.WECOM:
            return url, headers
        if endpoint.format == MessageFormat.DINGTALK:
            query = formats.dingtalk_query(self._secret("SECRET", endpoint.code), int(self._clock() * 1000))
            return f"{url}{'&' if '?' in url else '?'}{query}", headers
        timestamp = str(int(self._clock()))
        signed = formats.signature(self._secret("SECRET", endpoint.code), timestamp, body)
        return url, headers | {
            "Idempotency-Key": message_id, "Millwright-Timestamp": timestamp,
            "Millwright-Signature": f"sha256={signed}",
        }  # fmt: skip

    def _secret(self, kind: str, code: str) -> str:
        name = variable(kind, code)
        if file := self._environment.get(f"{name}_FILE"):
            try:
                found = Path(file).read_text(encoding="utf-8").strip()
            except OSError:
                found = ""
        else:
            found = self._environment.get(name, "")
        if not found:
            raise AdapterRefused("SECRET_MISSING", f"{name} is not set where the courier runs")
        return found


def variable(kind: str, code: str) -> str:
    """The variable of the environment that holds a secret of an endpoint: `kind` is SECRET or TOKEN."""
    return f"MES_ENDPOINT_{kind}_{re.sub('[^A-Z0-9]', '_', code.upper())}"


def _judge(endpoint: Endpoint, answer: httpx.Response) -> None:
    """Raises what an answer means; returns when the message is taken."""
    status = answer.status_code
    if status in _LATER:
        raise AdapterUnreachable(endpoint.code, f"HTTP {status}")
    if status >= 500:
        raise AdapterUnknown(endpoint.code, f"HTTP {status}")
    if not 200 <= status < 300:
        raise AdapterRefused("REFUSED", f"HTTP {status} {answer.text[:200]}")
    if endpoint.format in (MessageFormat.WECOM, MessageFormat.DINGTALK):
        _judge_robot(endpoint, answer)


def _judge_robot(endpoint: Endpoint, answer: httpx.Response) -> None:
    """A robot says 200 and means it only with error code 0."""
    try:
        said = answer.json()
        code = int(said["errcode"])
    except (ValueError, KeyError, TypeError):
        raise AdapterUnknown(endpoint.code, "an answer without errcode") from None
    if code in _ROBOT_LATER:
        raise AdapterUnreachable(endpoint.code, f"errcode {code}")
    if code != 0:
        raise AdapterRefused("REFUSED", f"errcode {code} {str(said.get('errmsg', ''))[:200]}")
