"""The embedded system: PostgreSQL, Temporal and our own processes on one data folder, without root or Docker."""

from system.addresses import Addresses
from system.attach import attach_or_start, running
from system.children import ChildSpec
from system.refusals import SystemRefusal
from system.supervisor import EmbeddedSystem

__all__ = ["Addresses", "ChildSpec", "EmbeddedSystem", "SystemRefusal", "attach_or_start", "running"]
