"""The OPC UA face of the press model: secured endpoint, address space, methods.

Only Basic256Sha256 with signing and encryption, only user name and password, only certificates of the trust store.
"""

import asyncio
import hmac
import logging
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, TypeVar

from asyncua import ua
from asyncua.common.node import Node
from asyncua.crypto.permission_rules import User, UserRole
from asyncua.crypto.truststore import TrustStore
from asyncua.crypto.validator import CertificateValidator, CertificateValidatorOptions
from asyncua.server.server import Server
from cryptography import x509
from pydantic import ValidationError

from adapters.equipment import opcua_names as names
from adapters.equipment.job_control_server import JobControlFace
from adapters.equipment.pki import PRESS_URI, Identity
from adapters.equipment.port import AdapterRefused, JobSpec, JobState, JobView, Refusal
from adapters.equipment.press_model import Press
from adapters.equipment.press_series import TAGS, PressRow
from adapters.equipment.press_store import save_state
from domain.machine_states import MachineState, StateProfile, number_of

_Answer = TypeVar("_Answer")
_log = logging.getLogger(__name__)
_REFRESH_SECONDS = 0.2
_JOURNAL_PAGE = 1000


@dataclass
class Gate:
    """Who may come in: one user name and its password, over a channel of a trusted certificate."""

    user: str
    password: str
    trust: TrustStore

    def get_user(
        self, iserver: object, username: str | None = None, password: str | None = None, certificate: Any = None
    ) -> User | None:
        """The library's question at every login; None refuses it.

        `certificate` is the one the channel is encrypted with. It is checked here too, because the library validates
        only the certificate that the client names in its request, and that it may leave out.
        """
        same_name = hmac.compare_digest((username or "").encode(), self.user.encode())
        same_word = hmac.compare_digest((password or "").encode(), self.password.encode())
        if not (same_name and same_word and certificate):
            return None
        trusted = self.trust.validate(x509.load_der_x509_certificate(certificate))
        return User(role=UserRole.User, name=username) if trusted else None


@dataclass
class PressServer:
    """A press that listens on 127.0.0.1. `clock` gives the present moment, UTC."""

    press: Press
    state_file: Path
    clock: Callable[[], datetime] = lambda: datetime.now(UTC)
    job_control: bool = False
    """Whether it speaks OPC 10031-4 beside its own methods."""
    _nodes: dict[str, Node] = field(default_factory=dict)
    _face: JobControlFace | None = None

    async def serve(self, port: int, identity: Identity, user: str, password: str) -> None:
        """Listen until cancelled. Raises `OSError` if the port is taken."""
        server = await secured(port, identity, user, password, "press")
        await self._address_space(server)
        if self.job_control:
            self._face = JobControlFace(self.press, self.clock, self._kept, self._refresh)
            await self._face.add(server)
        async with server:
            _log.info("the press listens on %s", server.endpoint.geturl())
            while True:
                await self._refresh()
                await asyncio.sleep(_REFRESH_SECONDS)

    async def _address_space(self, server: Server) -> None:
        index = await server.register_namespace(names.NAMESPACE)
        press = await server.nodes.objects.add_object(names.node_id(names.PRESS, index), f"{index}:{names.PRESS}")
        job = await press.add_object(names.node_id(names.JOB, index), f"{index}:Job")
        tags = await press.add_object(names.node_id(names.TAGS, index), f"{index}:Tags")
        for name, value in self._values().items():
            parent = tags if name in TAGS else job
            path = f"{names.TAGS if name in TAGS else names.JOB}.{name}"
            node = await parent.add_variable(names.node_id(path, index), f"{index}:{name}", value)
            if name in TAGS:
                unit = ua.EUInformation(DisplayName=ua.LocalizedText(TAGS[name]))
                await node.add_property(names.node_id(f"{path}.Unit", index), "0:EngineeringUnits", unit)
            self._nodes[name] = node
        await self._methods(job, index)

    async def _methods(self, job: Node, index: int) -> None:
        text, number = ua.VariantType.String, ua.VariantType.UInt32
        press = self.press
        verbs: Mapping[names.Method, Callable[[str, datetime], JobView | None]] = {
            names.Method.START: press.start,
            names.Method.PAUSE: press.pause,
            names.Method.RESUME: press.resume,
            names.Method.ABORT: press.abort,
            names.Method.GET: press.find,
        }
        view = [_argument(*output) for output in names.VIEW_OUTPUTS]
        rows = [_argument(*output) for output in names.READING_OUTPUTS]

        async def add(method: names.Method, call: Any, inputs: list[Any], outputs: list[Any]) -> None:
            path = names.node_id(f"{names.JOB}.{method}", index)
            await job.add_method(path, f"{index}:{method}", call, inputs, outputs)

        for method, verb in verbs.items():
            await add(method, self._verb(verb), [_argument("JobId", text)], view)
        await add(names.Method.LOAD, self._load, [_argument("Job", text)], view)
        asks = [_argument("JobId", text), _argument("Sequence", number), _argument("Max", number)]
        await add(names.Method.READINGS, self._journal, asks, rows)
        asks = [_argument("Journal", text), _argument("Sequence", number), _argument("Max", number)]
        await add(names.Method.STATES, self._states, asks, [_argument(*output) for output in names.STATE_OUTPUTS])

    def _verb(self, verb: Callable[[str, datetime], JobView | None]) -> Any:
        async def call(_parent: ua.NodeId, job_id: ua.Variant) -> list[ua.Variant]:
            return await self._shown(self._answer(lambda now: verb(job_id.Value, now)))

        return call

    async def _load(self, _parent: ua.NodeId, job: ua.Variant) -> list[ua.Variant]:
        try:
            spec = JobSpec.model_validate_json(job.Value)
        except ValidationError as error:
            return names.view_outputs(None, Refusal.INVALID_JOB, str(error))
        return await self._shown(self._answer(lambda now: self.press.load(spec, now)))

    async def _shown(self, answer: list[ua.Variant]) -> list[ua.Variant]:
        """The answer, given once the variables say the same: whoever reads them after it sees its effect."""
        await self._refresh()
        return answer

    def _answer(self, call: Callable[[datetime], JobView | None]) -> list[ua.Variant]:
        """Do it, and answer only once it is on the disk."""
        try:
            return names.view_outputs(self._kept(call))
        except AdapterRefused as no:
            return names.view_outputs(None, no.code, no.detail)

    def _kept(self, call: Callable[[datetime], _Answer]) -> _Answer:
        """Carry out a change and write it to the disk. No await in between, so no two calls mix."""
        before = self.press.remember()
        answer = call(self.clock())
        after = self.press.remember()
        if after != before:
            try:
                save_state(self.state_file, after)
            except OSError:
                self.press.restore(before)
                raise
        return answer

    async def _journal(
        self, _parent: ua.NodeId, job_id: ua.Variant, sequence: ua.Variant, limit: ua.Variant
    ) -> list[ua.Variant]:
        tags = tuple(TAGS)
        try:
            page = min(limit.Value, _JOURNAL_PAGE)
            readings = self.press.readings(job_id.Value, sequence.Value, page, self.clock())
        except AdapterRefused as no:
            return names.reading_outputs((), tags, no.code, no.detail)
        return names.reading_outputs(readings, tags, "", "")

    async def _states(
        self, _parent: ua.NodeId, journal: ua.Variant, sequence: ua.Variant, limit: ua.Variant
    ) -> list[ua.Variant]:
        """What came after, or everything for who asks with another journal."""
        found = self.press.machine_states(self.clock())
        after = sequence.Value if journal.Value == self.press.journal else 0
        return names.state_outputs(found[after : after + min(limit.Value, _JOURNAL_PAGE)], self.press.journal)

    async def _refresh(self) -> None:
        for name, value in self._values().items():
            await self._nodes[name].write_value(value)
        if self._face is not None:
            await self._face.refresh()

    def _values(self) -> dict[str, ua.Variant]:
        """What every variable of the press shows now."""
        now = self.clock()
        job = self.press.active(now)
        row = self.press.present_row(job.job_id, now) if job else None
        text, real = ua.VariantType.String, ua.VariantType.Double
        values = {
            "JobId": ua.Variant(job.job_id if job else "", text),
            "State": ua.Variant(str(job.state) if job else "", text),
            "Good": ua.Variant(int(job.good) if job else 0, ua.VariantType.Int64),
            "Waste": ua.Variant(int(job.waste) if job else 0, ua.VariantType.Int64),
            "RecordedAt": ua.Variant(row.recorded_at if row else "", text),
            "MachineState": ua.Variant(
                number_of(StateProfile.OPC_30050, machine_state(job, row)), ua.VariantType.Int32
            ),
            "Starts": ua.Variant(self.press.starts, ua.VariantType.UInt32),
        }
        shown = row.texts if row else {}
        return values | {tag: ua.Variant(float(shown.get(tag, "0")), real) for tag in TAGS}


async def secured(port: int, identity: Identity, user: str, password: str, name: str) -> Server:
    """A server on 127.0.0.1 at `/name` that takes only signed and encrypted channels of known people."""
    trust = TrustStore([identity.trusted], [])
    await trust.load()
    server = Server(user_manager=Gate(user, password, trust))  # type: ignore[arg-type]  # the library's own duck type
    await server.init()
    await server.set_application_uri(PRESS_URI)
    server.set_server_name("Tablet press" if name == "press" else name.title())
    server.set_endpoint(f"opc.tcp://127.0.0.1:{port}/{name}")
    server.set_security_policy([ua.SecurityPolicyType.Basic256Sha256_SignAndEncrypt])
    server.set_identity_tokens([ua.UserNameIdentityToken])
    await server.load_certificate(identity.certificate)
    await server.load_private_key(identity.key)
    options = CertificateValidatorOptions.TRUSTED_VALIDATION | CertificateValidatorOptions.PEER_CLIENT
    server.set_certificate_validator(CertificateValidator(options, trust))
    return server


def machine_state(job: JobView | None, row: PressRow | None) -> MachineState:
    """The PackML state: held by an operator's pause, suspended while the recorded speed is 0, else running or idle."""
    if job is None:
        return MachineState.IDLE
    if job.state is JobState.PAUSED:
        return MachineState.HELD
    moving = row is not None and float(row.texts.get("tbl_speed", "0")) > 0
    return MachineState.EXECUTE if moving else MachineState.SUSPENDED


def _argument(name: str, kind: ua.VariantType, array: bool = False) -> ua.Argument:
    rank = ua.ValueRank.OneDimension if array else ua.ValueRank.Scalar
    return ua.Argument(Name=name, DataType=ua.NodeId(ua.Int32(kind.value)), ValueRank=rank)
