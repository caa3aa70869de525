"""Who asks: the peer of the socket, or whom the trusted proxies name."""

from ipaddress import IPv4Address, IPv6Address, ip_address, ip_network

from flask import request

Address = IPv4Address | IPv6Address
HOUSEHOLD = 64  # bits; whoever has one IPv6 address has as many as they like of this network


def client() -> Address | None:
    """The address that asks; None if what a proxy wrote is none."""
    try:
        address = ip_address(request.remote_addr or "")
    except ValueError:
        return None
    return getattr(address, "ipv4_mapped", None) or address


def client_group() -> str:
    """The address as one who asks: of IPv6 the network, of what is no address all together."""
    address = client()
    if isinstance(address, IPv6Address):
        return str(ip_network((int(address), HOUSEHOLD), strict=False))
    return str(address)
