"""What stands open to a network, and may, but should be known."""

from collections.abc import Iterator

from approval.config.sections import Server


def open_doors(server: Server, *, bound_here: bool, reached_here: bool) -> Iterator[str]:
    """Warnings; `bound_here` and `reached_here` say whether it is this machine alone."""
    if reached_here and bound_here:
        return
    if not server.callback_from:
        yield (
            "[server] callback_from is not set: callbacks are taken from any address; name "
            "those of the platform, as 10.1.2.3"
        )
    if bound_here and not server.trusted_proxies:
        yield (
            "[server] trusted_proxies = 0, though only a proxy on this machine can lead people "
            "here: its address counts for everybody, in callback_from, in the limits and in the "
            "log; set it to 1"
        )
    if server.trusted_proxies and not bound_here:
        yield (
            f"[server] trusted_proxies = {server.trusted_proxies}, and bind_address is open to a "
            "network: whoever gets past the proxies can pretend any address; see to it that "
            "only the proxies can reach the port"
        )
