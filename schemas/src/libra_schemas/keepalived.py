"""What keepalived's keywords are called in this config, for those who come from there.

Source: keepalived.conf(5). Rule: said only where the word is no key of ours.
"""

_NOTIFY = "notify: {NAME: {program: {command: [FILE]}, match: [EVENTS]}} of the whole config"

_PROGRAM = "track: {programs: {NAME: {command: [FILE, ARGUMENTS]}}}, in the instance"
_PROCESS = "track: {processes: {NAME: {quorum: 1}}}, in the instance"

OURS = {
    "vrrp_instance": "instances",
    "vrrp_sync_group": "group: NAME, of each instance that belongs to it",
    "virtual_router_id": "vrid",
    "advert_int": "interval",
    "state": "priority: the highest is master",
    "virtual_ipaddress": "addresses",
    "virtual_ipaddress_excluded": "excluded",
    "virtual_routes": "routes",
    "virtual_rules": "rules",
    "dev": "interface",
    "preference": "priority",
    "authentication": "auth_file, with version: 2",
    "auth_type": "auth_file, with version: 2",
    "unicast_peer": "unicast: true, or an address per node",
    "unicast_src_ip": "unicast: {NODE: ADDRESS} with this node's address too",
    "track_script": _PROGRAM,
    "vrrp_script": _PROGRAM,
    "script": "command: [FILE, ARGUMENTS]",
    "interval": "every",
    "track_file": "track: {files: {NAME: {path: FILE, weight: 1}}}, in the instance",
    "track_process": _PROCESS,
    "vrrp_track_process": _PROCESS,
    "fork_delay": "up_for",
    "terminate_delay": "down_for",
    "nopreempt": "preempt: false",
    "preempt_delay": "preempt: TIME",
    "vrrp_startup_delay": "start_delay",
    "vmac_xmit_base": "vmac: {xmit_base: true}",
    "use_vmac": "vmac: true",
    "vrrp_version": "version",
    "track_interface": "track: {interfaces: [NAME]}",
    "garp_master_delay": "garp: {delay: TIME}",
    "garp_master_repeat": "garp: {repeat: NUMBER}",
    "garp_master_refresh": "garp: {refresh: TIME}",
    "lvs_sync_daemon": "sync",
    "virtual_server": "services",
    "port": "the end of address, as in 192.0.2.10:80",
    "lb_algo": "scheduler",
    "lvs_sched": "scheduler",
    "lb_kind": "forward",
    "lvs_method": "forward",
    "persistence_timeout": "persistence",
    "persistence_granularity": "persistence_prefix",
    "ops": "one_packet",
    "sorry_server": "sorry",
    "real_server": "backends",
    "inhibit_on_failure": "on_failure: quiesce",
    "uthreshold": "upper",
    "lthreshold": "lower",
    "delay_loop": "every, in check",
    "connect_timeout": "timeout, in check",
    "retry": "fall, in check",
    "nb_get_retry": "fall, in check",
    "http_get": "check: {http: {path: /}}",
    "ssl_get": "check: {https: {path: /}}",
    "virtualhost": "host, in check: {http: ...}",
    "status_code": "status, in check: {http: ...}",
    "sni_name": "tls: {name: NAME}, in check: {https: ...}",
    "enable_sni": "tls: {name: NAME}, in check: {https: ...}",
    "tcp_check": "check: tcp",
    "udp_check": "check: udp",
    "payload": "send_hex, in udp",
    "require_reply": "expect_hex, or silence: fail, in udp",
    "ping_check": "check: icmp",
    "misc_check": "check: {exec: {command: [FILE, ARGUMENTS]}}",
    "misc_path": "command: [FILE, ARGUMENTS]",
    "misc_timeout": "timeout, in check",
    "misc_dynamic": "weight: status, in exec",
    "file_check": "check: {file: {path: FILE}}",
    "smtp_alert": "notify: {NAME: {email: {...}}} of the whole config",
    "notify": _NOTIFY,
    "notify_master": _NOTIFY,
    "notify_backup": _NOTIFY,
    "notify_fault": _NOTIFY,
    "notify_up": _NOTIFY,
    "notify_down": _NOTIFY,
}

_BFD = (
    "LibrA speaks no BFD; ask the daemon that does by a program, track: {programs: {NAME: {command:"
    " [FILE]}}}, or have it write a number, track: {files: {NAME: {path: FILE}}}"
)

ABSENT = {
    "track_bfd": _BFD,
    "bfd_instance": _BFD,
    "bfd": _BFD,
    "global_defs": "leave it out; what it sets for all is set for each instance, if at all",
    "mcast_src_ip": "leave it out; adverts come from the interface's own address",
    "user": "leave it out; programs run as uid 65534, or LIBRA_VRRP_UID",
}
"""What keepalived has and LibrA has not, and what to do instead."""

_SCRIPTS = frozenset({"user"})
"""What keepalived has for its scripts; elsewhere it is an everyday word."""


def translated(key: str, part: str = "instances") -> str:
    """Say what keepalived's *key* is in a *part* of the config, "" where it is none."""
    is_script = part == "instances" or key.lower() not in _SCRIPTS
    if is_script and (instead := ABSENT.get(key.lower())):
        return f"keepalived's {key} is not here: {instead}"
    ours = OURS.get(key.lower())
    return f"keepalived's {key} is here {ours}" if ours else ""
