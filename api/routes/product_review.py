"""The data of a product quality review."""

from typing import Annotated, Any

from fastapi import Query

from api import product_review
from api.deps import Reading, Who
from api.routing import Router
from api.shapes import Identifier

router = Router(prefix="/quality", tags=["quality"])


@router.get("/product-quality-review")
def review(
    reading: Reading,
    who: Who,
    product: Annotated[Identifier, Query()],
    year: Annotated[int, Query(ge=2000, le=2200)],
) -> dict[str, Any]:
    """Batches of a product that ended in a year (on the plant's clock): yields, deviations, results out of
    specification, and for every parameter and characteristic its spread, Cpk (mean moving range) and Ppk."""
    zone = who.services.settings.time_zone
    return product_review.document(product_review.of_year(reading, product, year, zone, who.scope))
