"""Examples for the pages about the config.

Rule: each is a part of a config; all of them together are one that LibrA accepts.
"""

EXAMPLES = {
    "Config": """\
version: 1
nodes: {a: {address: 10.0.0.2}, b: {address: 10.0.0.3}}
services:
  ntp: {address: 192.0.2.10:123, protocol: udp, check: icmp, backends: {n1: 10.0.1.31:123}}
""",
    "NodeConfig": """\
nodes:
  a: {address: 10.0.0.2}
  b: {address: 10.0.0.3}
""",
    "InstanceConfig": """\
instances:
  front:
    interface: eth0                   # or {a: eth0, b: eno1}
    vrid: 51
    interval: 100ms
    priority: {a: 150, b: 100}
    addresses:
      - 192.0.2.10/24
      - 2001:db8::10/64
      - {address: 10.0.1.1/24, interface: eth1}
    excluded: [192.0.2.11/24]         # not in the adverts
    track:
      interfaces: [eth1, {name: eth2, weight: -30}]
      programs: {gw: {command: [/usr/bin/ping, -c1, 10.0.0.1], every: 2s, weight: -40}}
      files: {by-hand: {path: /run/libra/priority, weight: 1}}
      processes: {haproxy: {down_for: 2s}}
      services: {web: {weight: -20}}
    routes:                           # on the master alone, as the rules
      - {to: default, via: 192.0.2.1, src: 192.0.2.10, table: 100}
      - {to: 10.9.0.0/16, type: blackhole}
    rules: [{priority: 100, from: 10.0.1.0/24, table: 100}]
  old:                                # beside routers of VRRPv2, without multicast
    interface: eth1
    vrid: 7
    version: 2
    auth_file: /etc/libra/secrets/vrrp.pass
    unicast: {a: 10.0.1.2, b: 10.0.1.3}
    priority: {a: 100, b: 150}
    addresses: [10.0.1.250/24]
""",
    "ServiceConfig": """\
services:
  web:
    address: 192.0.2.10:80
    scheduler: wlc
    forward: dr
    persistence: 5m
    quorum: 3
    hysteresis: 1                     # up again at 4, down below 2
    sorry: 10.0.1.99:80
    check: {http: {path: /healthz}, every: 1s, timeout: 500ms}
    backends: {w1: {address: 10.0.1.11:80, weight: 3}, w2: 10.0.1.12:80}
  marked:                             # everything that the firewall marks with 7
    fwmark: 7
    check: icmp
    backends: {m1: 10.0.1.41, m2: 10.0.1.42}
""",
    "BackendConfig": """\
services:
  mail:
    address: 192.0.2.10:25
    backends:
      m1: {address: 10.0.1.21:25, weight: 3, upper: 2000}
      m2: {address: 10.0.1.22:25, check: {tcp: {expect: "^220 "}, every: 5s}}
      m3: 10.0.1.23:25
""",
    "CheckConfig": """\
services:
  shop:
    address: 192.0.2.10:443
    check:
      - {http: {path: /healthz, host: shop.example.net, status: [200, 204]}, port: 8080}
      - {icmp: {}, every: 5s, rise: 1, fall: 5}
    backends: {s1: 10.0.1.51:443}
  imap:
    address: 192.0.2.10:143
    check: {tcp: {preset: imap}}
    backends: {i1: 10.0.1.61:143}
  smtp:
    address: 192.0.2.10:587
    check: {smtp: {starttls: true, tls: {name: mail.example.net}}, every: 5s, timeout: 2s}
    backends: {m1: 10.0.1.41:587}
  names:
    address: 192.0.2.10:53
    protocol: udp
    check: {dns: {name: www.example.net, type: A, expect: [192.0.2.10]}}
    backends: {d1: 10.0.1.53:53}
  directory:
    address: 192.0.2.10:389
    check:
      ldap:
        starttls: true
        bind_dn: cn=probe,dc=example,dc=net
        password_file: /etc/libra/secrets/probe.pass
        base: dc=example,dc=net
        filter: (uid=probe)
    backends: {l1: 10.0.1.89:389}
  orders:
    address: 192.0.2.10:50051
    check: {grpc: {service: shop.Orders}}
    backends: {g1: 10.0.1.91:50051}
  web-dr:
    address: 192.0.2.10:8080
    forward: dr
    check: {http: {path: /healthz}, data_path: true}   # asks 192.0.2.10:8080, through IPVS
    backends: {w1: 10.0.0.71:8080}
  db:
    address: 192.0.2.10:5432
    check: {exec: {command: [/usr/local/bin/db-load], weight: stdout}, every: 5s, timeout: 2s}
    backends:
      d1: 10.0.1.71:5432
      d2: {address: 10.0.1.72:5432, check: {file: {path: /run/libra/d2, missing: up}}}
""",
    "HttpSpec": """\
services:
  api:
    address: 192.0.2.11:443
    check:
      https:
        host: api.example.net
        headers_files: {Authorization: /etc/libra/secrets/probe.token}
        tls: {ca_file: /etc/libra/secrets/ca.pem, expires_within: 14d}
        requests:
          - {path: /healthz, contains: ok}
          - {path: /old, status: 301}
          - {path: /login, method: POST, body: "user=probe", status: [200, 403]}
    backends: {a1: 10.0.1.71:443}
  imaps:
    address: 192.0.2.10:993
    check: {tls: {name: mail.example.net, expires_within: 14d}}
    backends: {i1: 10.0.1.61:993}
  news:                               # the server speaks first
    address: 192.0.2.10:119
    check: {tcp: {exchanges: [{expect: "^20[01] "}, {send: "QUIT\\r\\n", expect_hex: "32 30 35"}]}}
    backends: {n1: 10.0.1.71:119}
  sip:
    address: 192.0.2.10:5060
    protocol: udp
    check: {udp: {send: "\\r\\n\\r\\n", expect: "^\\r\\n", silence: fail}, every: 5s}
    backends: {p1: 10.0.1.81:5060}
""",
    "SinkConfig": """\
notify:
  hook:
    webhook: {url_file: /etc/libra/hook.url, secret_file: /etc/libra/hook.key}
    match: ["backend.*", "service.*"]
    services: [web]
  ops:
    email:
      to: [ops@example.net]
      from: libra@example.net
      server: mail.example.net
      port: 465
      security: tls
    match: ["vrrp.*"]
  pager:
    program: {command: [/usr/local/bin/page, urgent]}
    match: ["*.fault", "service.down"]
    retry: {attempts: 5, first: 2s, longest: 1m}
""",
    "SyncConfig": """\
sync: {interface: eth2, syncid: 51}
""",
    "TetherConfig": """\
tether: {port: 9700}                  # or {enabled: false}
""",
    "IpvsConfig": """\
ipvs:
  timeouts: {tcp: 15m, tcp_fin: 2m, udp: 5m}
  sysctls: {drop_entry: 1}
  marks: 0x4d000000/12
""",
}
"""Model -> YAML."""
