"""A station without a machine: people do the work and report it."""

from collections.abc import Sequence

from adapters.equipment.port import AdapterRefused, Capability, JobSpec, JobView, Reading, Refusal, StateChange


class ManualStation:
    """An `Equipment` that takes no jobs: every call is refused as `MANUAL_STATION`."""

    def __init__(self, name: str) -> None:
        self._name = name

    @property
    def capabilities(self) -> frozenset[Capability]:
        """Nothing: the workflow waits for operators' reports instead."""
        return frozenset()

    async def load_job(self, job: JobSpec) -> JobView:
        """Refused."""
        raise self._no(job.job_id)

    async def start_job(self, job_id: str) -> JobView:
        """Refused."""
        raise self._no(job_id)

    async def pause_job(self, job_id: str) -> JobView:
        """Refused."""
        raise self._no(job_id)

    async def resume_job(self, job_id: str) -> JobView:
        """Refused."""
        raise self._no(job_id)

    async def abort_job(self, job_id: str) -> JobView:
        """Refused."""
        raise self._no(job_id)

    async def get_job(self, job_id: str) -> JobView | None:
        """Refused: a station that takes no jobs must not look like a machine that lost one."""
        raise self._no(job_id)

    async def readings(self, job_id: str, after: int) -> Sequence[Reading]:
        """Refused: readings are typed in by people."""
        raise self._no(job_id)

    async def machine_states(self, journal: str, after: int) -> Sequence[StateChange]:
        """Refused: there is no machine."""
        raise AdapterRefused(Refusal.MANUAL_STATION, f"{self._name} has no machine whose states could be read")

    async def close(self) -> None:
        """Nothing to let go of."""

    def _no(self, job_id: str) -> AdapterRefused:
        return AdapterRefused(Refusal.MANUAL_STATION, f"{self._name} has no machine; report {job_id} by hand")
