"""A server whose clock can be moved. The API is experimental: only this file knows it."""

from collections.abc import AsyncIterator

import pytest
from temporalio.common import SearchAttributeKey
from temporalio.contrib.pydantic import pydantic_data_converter
from temporalio.testing import WorkflowEnvironment

from system.temporal_server import SEARCH_ATTRIBUTES, binary


@pytest.fixture(scope="module")
async def skipping() -> AsyncIterator[WorkflowEnvironment]:
    """A Temporal server of its own."""
    keys = {"Keyword": SearchAttributeKey.for_keyword, "Datetime": SearchAttributeKey.for_datetime}
    environment = await WorkflowEnvironment.start_time_skipping_v2(
        dev_server_existing_path=str(binary()),
        dev_server_extra_args=["--dynamic-config-value", "frontend.WorkflowTimeSkippingEnabled=true"],
        dev_server_log_level="error",
        data_converter=pydantic_data_converter,
        search_attributes=[keys[kind](name) for name, kind in SEARCH_ATTRIBUTES.items()],
    )
    async with environment:
        yield environment
