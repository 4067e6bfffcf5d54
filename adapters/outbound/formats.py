"""How a message is put: our own event for programs, B2MML for an ERP, a few words for the robot of a chat. Pure."""

import base64
import hashlib
import hmac
from collections.abc import Mapping
from typing import Any, Final
from urllib.parse import quote_plus

from db.outbox import Claimed

SOURCE: Final = "urn:millwright"
_LONGEST: Final = 1500
"""Characters of a robot's message; WeCom takes 4096 bytes of markdown."""
_COLOUR: Final = {"critical": "warning", "warning": "warning", "info": "info"}
_TITLES: Final = {
    "alarm.raised": "Alarm 报警", "alarm.escalated": "Alarm escalated 报警升级",
    "alarm.acknowledged": "Alarm acknowledged 报警已确认",
}  # fmt: skip


def event(message: Claimed) -> dict[str, Any]:
    """A CloudEvents 1.0 event in JSON (structured mode)."""
    return {
        "specversion": "1.0", "id": message.id, "source": SOURCE, "type": message.topic, "subject": message.subject,
        "time": message.data.get("at") or message.created_at.isoformat(), "datacontenttype": "application/json",
        "data": message.data,
    }  # fmt: skip


def wecom(message: Claimed) -> dict[str, Any]:
    """Markdown for a WeCom group robot."""
    title, lines, severity = _words(message)
    colour = _COLOUR.get(severity, "comment")
    text = "\n".join([f'<font color="{colour}">**{title}**</font>', *(f"> {line}" for line in lines)])
    return {"msgtype": "markdown", "markdown": {"content": text[:_LONGEST]}}


def dingtalk(message: Claimed) -> dict[str, Any]:
    """Markdown for a DingTalk group robot."""
    title, lines, _ = _words(message)
    text = "\n\n".join([f"### {title}", *lines])
    return {"msgtype": "markdown", "markdown": {"title": title[:60], "text": text[:_LONGEST]}}


def _words(message: Claimed) -> tuple[str, list[str], str]:
    """Title, lines, severity. The message id lets people see that a repeated message is the same one."""
    new: Mapping[str, Any] = message.data.get("new") or {}
    title = _TITLES.get(message.topic, message.topic)
    code, severity = str(new.get("code") or ""), str(new.get("severity") or "")
    lines = [
        f"{code} {severity}".strip(), str(new.get("detail") or message.data.get("reason") or ""),
        f"{new.get('orderNumber') or ''} {new.get('subject') or message.subject}".strip(),
        str(message.data.get("at") or ""), message.id,
    ]  # fmt: skip
    return title, [_plain(line) for line in lines if line], severity


def _plain(line: str) -> str:
    """One line without what a robot would take for markup."""
    return " ".join(line.split()).replace("<", "‹").replace(">", "›").replace("[", "(").replace("]", ")")


def signature(secret: str, timestamp: str, body: bytes) -> str:
    """HMAC-SHA256 over `timestamp.body`, in hex: who sent it, that nobody has changed it, and when it was sent."""
    return hmac.new(secret.encode(), timestamp.encode() + b"." + body, hashlib.sha256).hexdigest()


def dingtalk_query(secret: str, milliseconds: int) -> str:
    """What a DingTalk robot with a signing key wants in its address."""
    digest = hmac.new(secret.encode(), f"{milliseconds}\n{secret}".encode(), hashlib.sha256).digest()
    return f"timestamp={milliseconds}&sign={quote_plus(base64.b64encode(digest))}"
