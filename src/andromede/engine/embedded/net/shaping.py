"""Limits and marks as nftables statements. Pure.

What passes the rate is dropped, and a sender that hears of it slows down. The kernel's bucket holds
what a second lets pass besides the burst (`nft_limit`, of bytes), so that the first second after a
rest may carry twice the limit.
"""

from __future__ import annotations

from andromede.engine.networks import QosSpec, RouterSpec

LEAST_BURST = 128 * 1024  # bytes; a card hands over up to 64 KiB as one packet
MOST_BURST = 2**32 - 1
USUAL_BURST = 0.8  # of the limit, as upstream has it


def over(kbps: int | None, burst: int) -> tuple[str, ...]:
    """What drops packets above a rate of kilobits a second, after a burst of kilobits."""
    if kbps is None:
        return ()
    rate = max(1, kbps * 125)
    room = burst * 125 or int(rate * USUAL_BURST)
    room = min(max(room, LEAST_BURST), MOST_BURST)
    return (f"limit rate over {rate} bytes/second burst {room} bytes drop",)


def leaving(qos: QosSpec | None) -> tuple[str, ...]:
    """What is done to packets that leave a machine."""
    if qos is None:
        return ()
    marks = () if qos.dscp is None else (f"ip dscp set {qos.dscp}", f"ip6 dscp set {qos.dscp}")
    return (*over(qos.egress_kbps, qos.egress_burst), *marks)


def arriving(qos: QosSpec | None) -> tuple[str, ...]:
    """What is done to packets that go to a machine."""
    return () if qos is None else over(qos.ingress_kbps, qos.ingress_burst)


def floating(spec: RouterSpec, leg: str) -> list[str]:
    """What limits floating addresses where a router forwards; `leg` leads outside."""
    lines: list[str] = []
    for each in spec.limits:
        if each.fixed is not None:
            inward, outward = f"ip daddr {each.fixed}", f"ip saddr {each.fixed}"
        else:  # single ports of it: connections that began outside
            inward = f"ct direction original ct original ip daddr {each.floating}"
            outward = f"ct direction reply ct original ip daddr {each.floating}"
        qos = each.qos
        ins = over(qos.ingress_kbps, qos.ingress_burst)
        outs = over(qos.egress_kbps, qos.egress_burst)
        lines += [f'iifname "{leg}" {inward} {line}' for line in ins]
        lines += [f'oifname "{leg}" {outward} {line}' for line in outs]
    return lines
