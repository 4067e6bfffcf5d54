"""Rows of the audit trail as the parts that are printed."""

from typing import Any

from adapters.printing.audit_words import Sentence
from adapters.printing.port import AuditJob
from adapters.printing.sheet import Part, cell, line, paragraph, row, table
from adapters.printing.texts import Words


def sheet(job: AuditJob) -> dict[str, Any]:
    """Everything that the template needs."""
    words = Words(job.language)
    asked = "; ".join(f"{name} {value}" for name, value in job.asked.items()) or words("audit.everything")
    return {
        "language": job.language,
        "title": words("audit.title"),
        "head": [line(asked)],
        "page": [words("page"), words("page.of"), words("page.end")],
        "foot": line(words("printed", at=f"{job.printed_at:%Y-%m-%d %H:%M:%S}", by=job.printed_by)),
        "watermark": "",
        "badge": {"text": words("audit.badge", n=len(job.rows)), "isDraft": False},
        "parts": [paragraph(words("utc"), "small"), _rows(job, words) if job.rows else paragraph(words("none"))],
    }


def _rows(job: AuditJob, words: Words) -> Part:
    sentence = Sentence(job.language)
    columns = (("audit.row", 0.6), ("audit.at", 1.3), ("audit.said", 6.0), ("audit.source", 1.4))
    return table(
        [(words(key), width) for key, width in columns],
        [
            row(
                cell(line(own["seq"], "small")),
                cell(line(_time(own["at"]))),
                cell(line(sentence.of(own)), *_command(own, words)),
                cell(line(own["source"], "small")),
            )
            for own in job.rows
        ],
        words("audit.rows"),
    )


def _command(own: dict[str, Any], words: Words) -> list[Part]:
    return [line(words("audit.command", id=own["commandId"]), "small")] if own["commandId"] else []


def _time(at: str) -> str:
    return at.replace("T", " ").removesuffix("Z")
