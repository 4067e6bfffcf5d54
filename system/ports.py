"""Free ports on this machine, so that several systems can run side by side."""

import socket

from system.refusals import PortInUse

LOOPBACK = "127.0.0.1"


def is_free(port: int, host: str = LOOPBACK) -> bool:
    """Whether a server could listen there now."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    with socket.socket(family, socket.SOCK_STREAM) as probe:
        # The servers set this too: connections of a stopped server that linger in TIME_WAIT do not count.
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((host, port))
            probe.listen(1)
        except OSError:
            return False
    return True


def any_free(host: str = LOOPBACK) -> int:
    """A port nobody listens on. Another program may still take it before its user does."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    with socket.socket(family, socket.SOCK_STREAM) as probe:
        probe.bind((host, 0))
        return int(probe.getsockname()[1])


def preferred(port: int | None, host: str = LOOPBACK) -> int:
    """`port` if it is still free, else any free one: for ports that nobody has written down."""
    return port if port and is_free(port, host) else any_free(host)


def demanded(port: int | None, host: str = LOOPBACK) -> int:
    """`port` itself, or any free one for None and 0. Raises PortInUse when the one asked for is taken."""
    if not port:
        return any_free(host)
    if not is_free(port, host):
        raise PortInUse(host, port)
    return port
