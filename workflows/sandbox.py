"""The SDK's sandbox, with the modules of a workflow loaded once for each process, not anew for every order.

What it refuses is what the SDK's own refuses: clock, chance, files, imports that are not pure. What it leaves out is a
copy of the modules for each order: a plant runs without that, too, so module state that orders would share is shared
here as it is there. Private parts of the SDK are used: `tests/workflows/test_sandbox.py` notices when they change.
"""

import functools
import threading

from temporalio.worker import WorkflowInstance, WorkflowInstanceDetails
from temporalio.worker.workflow_sandbox import SandboxedWorkflowRunner, SandboxRestrictions
from temporalio.worker.workflow_sandbox._importer import Importer
from temporalio.worker.workflow_sandbox._restrictions import RestrictionContext
from temporalio.worker.workflow_sandbox._runner import _Instance


class _OfThisThread(RestrictionContext, threading.local):
    """Whether workflow code runs: orders that share modules run in threads beside each other, each step in one."""


@functools.cache
def importer(module: str, passed_through: tuple[str, ...]) -> Importer:
    """What the orders of a workflow's module share: its modules, loaded under the sandbox's rules."""
    return Importer(
        SandboxRestrictions.default.with_passthrough_modules(*passed_through),
        _OfThisThread(),
        workflow_module_name=module,
    )


class _Order(_Instance):
    """One order's workflow on the shared modules."""

    def __init__(self, details: WorkflowInstanceDetails, runner: "SharedSandbox") -> None:
        self.instance_details = details
        self.runner_class = runner.runner_class
        self.importer = importer(self._workflow_module_name(), runner.passed_through)
        self._current_thread_id = None
        self.globals_and_locals = {"__file__": "workflow_sandbox.py"}
        self._create_instance()


class SharedSandbox(SandboxedWorkflowRunner):
    """A sandbox whose modules all orders of a process share; packages in `passed_through` are those of the process."""

    passed_through: tuple[str, ...]

    def __init__(self, *passed_through: str) -> None:
        super().__init__()
        object.__setattr__(self, "passed_through", passed_through)

    def create_instance(self, det: WorkflowInstanceDetails) -> WorkflowInstance:
        """See WorkflowRunner."""
        return _Order(det, self)
