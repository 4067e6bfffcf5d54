"""Pictures of instructions for browsers: the file as the API gives it, and a page (or dialog) with the large one."""

from typing import Annotated, Any
from uuid import UUID

from fastapi import Path, Request, Response
from starlette.datastructures import FormData, UploadFile

from api.routing import Router
from api.ui.actions import problem_of
from api.ui.calls import Answer, File, call, read
from api.ui.shell import PageRoute, context, page

router = Router(prefix="/ui/pictures", route_class=PageRoute, include_in_schema=False)
Digest = Annotated[str, Path(pattern=r"^[0-9a-f]{64}$")]


def _file(request: Request, path: str) -> Response:
    return File(request, path, {}, lambda no: Response("", no.status))


@router.get("/drafts/{digest}")
async def of_a_draft(digest: Digest, request: Request) -> Response:
    """A picture in the form of a draft."""
    return _file(request, f"/master-batch-records/pictures/{digest}")


@router.get("/records/{record_id}/{digest}")
async def of_a_version(record_id: UUID, digest: Digest, request: Request) -> Response:
    """A picture of a version."""
    return _file(request, f"/master-batch-records/{record_id}/pictures/{digest}")


@router.get("/operations/{work_order_id}/{code}/{digest}")
async def of_an_operation(work_order_id: UUID, code: str, digest: Digest, request: Request) -> Response:
    """A picture at an operation."""
    return _file(request, f"/mes/work-orders/{work_order_id}/operations/{code}/pictures/{digest}")


@router.get("/records/{record_id}/{digest}/large")
async def version_large(record_id: UUID, digest: Digest, request: Request) -> Response:
    """The same, large, with its words."""
    found = await read(request, f"/master-batch-records/{record_id}")
    told = [one for own in found["content"]["operations"] for one in own["instructions"]]
    language = context(request)["language"]
    words = {
        picture["sha256"]: picture["text"].get(language, "") for one in told for picture in one.get("pictures", ())
    }
    back = f"/ui/master/records/{record_id}"
    return page(
        request,
        "picture.html",
        wide=True,
        source=f"/ui/pictures/records/{record_id}/{digest}",
        text=words.get(digest, ""),
        close=back,
    )


@router.get("/operations/{work_order_id}/{code}/{digest}/large")
async def operation_large(work_order_id: UUID, code: str, digest: Digest, request: Request) -> Response:
    """The same, large, with its words, at an operation."""
    path = f"/mes/work-orders/{work_order_id}/operations/{code}/instructions"
    told = await read(request, path, language=context(request)["language"])
    words = {picture["sha256"]: picture["text"] for one in told["instructions"] for picture in one["pictures"]}
    source, back = f"/ui/pictures/operations/{work_order_id}/{code}/{digest}", f"/ui/tasks/{work_order_id}/{code}"
    return page(request, "picture.html", wide=True, source=source, text=words.get(digest, ""), close=back)


async def uploaded(request: Request, form: FormData) -> tuple[list[tuple[str, str]], dict[str, Any] | None]:
    """The fields of a form with the hash of each uploaded picture in the place of its file, and what was refused.

    A field that is called `….file` becomes `….sha256`. The first picture that is refused ends it; those before it are
    stored, and stay in the form.
    """
    fields: list[tuple[str, str]] = []
    problem: dict[str, Any] | None = None
    for name, value in form.multi_items():
        if not isinstance(value, UploadFile):
            fields.append((name, value))
            continue
        content = await value.read()
        await value.close()
        if not content or problem is not None:
            continue
        answer: Answer = await call(
            request, "POST", "/master-batch-records/pictures", content, content_type="application/octet-stream"
        )
        if answer.accepted:
            fields.append((f"{name.removesuffix('.file')}.sha256", answer.document["sha256"]))
        else:
            problem = problem_of(answer) | {"field": name.removesuffix(".file").removeprefix("content.")}
    return fields, problem
