"""A cable: one interface of a node, plugged into a network's bridge."""

from dataclasses import dataclass

from libra_lab.commands import ip, run


@dataclass(frozen=True, slots=True)
class Link:
    """The cable from `interface` in `namespace` to `port` of the bridge `network` in `switch`."""

    namespace: str
    interface: str
    switch: str
    port: str
    network: str

    def cut(self, *, silent: bool = False) -> None:
        """Pull the cable; `silent` loses every frame but leaves the carrier on at both ends."""
        ip([f"link set dev {self.port} {'nomaster' if silent else 'down'}"], self.switch)

    def heal(self) -> None:
        """Plug the cable in again, however it was cut."""
        ip([f"link set dev {self.port} master {self.network} up"], self.switch)

    def shape(self, delay_ms: float = 0, loss_percent: float = 0, *options: str) -> None:
        """Delay and lose frames in each direction (tc-netem(8)); `options` are netem's own."""
        netem = ["netem", "delay", f"{delay_ms}ms", "loss", f"{loss_percent}%", *options]
        for namespace, device in self._ends():
            run(["tc", "-n", namespace, "qdisc", "replace", "dev", device, "root", *netem])

    def unshape(self) -> None:
        """Take the delay and the loss away."""
        for namespace, device in self._ends():
            run(["tc", "-n", namespace, "qdisc", "del", "dev", device, "root"])

    def _ends(self) -> tuple[tuple[str, str], tuple[str, str]]:
        return (self.namespace, self.interface), (self.switch, self.port)
