"""The cluster's config of the demo, made from the addresses of the topology."""

import json
from pathlib import Path
from typing import Any

from libra_lab.pair import Plan

INTERVAL = "200ms"
WEB_PORT, UDP_PORT = 80, 53
HOOK_PORT, MAIL_PORT = 8080, 25
OPS = 200
"""The last number of the operators' machine, which receives webhooks and mail."""

SECRET = "a secret of the demo"  # noqa: S105  it signs webhooks inside the lab only


def cluster(plan: Plan, folder: Path) -> dict[str, Any]:
    """Describe two directors, three web servers behind NAT and two UDP servers behind DR."""
    ops = plan.outer(OPS)
    check = {"every": "500ms", "timeout": "400ms", "rise": 2, "fall": 2}
    return {
        "version": 1,
        "nodes": {n: {"address": plan.outer(i)} for n, i in plan.directors.items()},
        "instances": {"front": _front(plan)},
        "services": {
            "web": {
                "address": f"{plan.outer(plan.web_vip)}:{WEB_PORT}",
                "scheduler": "rr",
                "forward": "nat",
                "sorry": f"{plan.inner(plan.sorry['sorry'])}:{WEB_PORT}",
                "check": {"http": {"path": "/healthz"}, **check},
                "backends": {n: f"{plan.inner(i)}:{WEB_PORT}" for n, i in plan.web.items()},
            },
            "names": {
                "address": f"{plan.outer(plan.udp_vip)}:{UDP_PORT}",
                "protocol": "udp",
                "scheduler": "rr",
                "forward": "dr",
                "one_packet": True,
                "check": {"icmp": {}, **check},
                "backends": {n: f"{plan.outer(i)}:{UDP_PORT}" for n, i in plan.udp.items()},
            },
        },
        "notify": {
            "hook": {
                "webhook": {
                    "url_file": str(folder / "hook.url"),
                    "secret_file": str(folder / "hook.key"),
                },
                "match": ["backend.*", "service.*", "vrrp.*"],
                "retry": {"first": "500ms", "longest": "2s"},
            },
            "mail": {
                "email": {
                    "to": ["ops@example.org"],
                    "from": "libra@example.org",
                    "server": ops,
                    "port": MAIL_PORT,
                },
                "match": ["backend.*"],
                "retry": {"first": "500ms", "longest": "2s"},
            },
        },
    }


def _front(plan: Plan) -> dict[str, Any]:
    """Describe the virtual router: both virtual addresses and, inside, the NAT gateway."""
    return {
        "interface": "eth0",
        "vrid": 51,
        "interval": INTERVAL,
        "priority": {"a": 150, "b": 100},
        "preempt": True,
        "addresses": [
            f"{plan.outer(plan.web_vip)}/24",
            f"{plan.outer(plan.udp_vip)}/24",
            {"address": f"{plan.inner(plan.gateway)}/24", "interface": "eth1"},
        ],
    }


def write(plan: Plan, folder: Path) -> Path:
    """Write the config (JSON is YAML) and the files it names; return its path."""
    folder.mkdir(mode=0o755, parents=True, exist_ok=True)
    (folder / "hook.url").write_text(f"http://{plan.outer(OPS)}:{HOOK_PORT}/hook\n")
    (folder / "hook.key").write_text(f"{SECRET}\n")
    path = folder / "libra.yaml"
    path.write_text(json.dumps(cluster(plan, folder), indent=2) + "\n")
    return path
