"""Virtual MACs: that the interfaces can be named, and that the MAC can be the only one.

Sources: RFC 9568 §7.3 and §8.1.2; IFNAMSIZ of linux/if.h.
"""

from collections.abc import Iterator

from libra_schemas.config import Config, InstanceConfig
from libra_schemas.config.instance import AddressElsewhere, VmacConfig
from libra_schemas.places import Finding, Path

LONGEST = 15
"""Characters of an interface's name."""
_OWNER = 255
_READ = ("vrid", "interface", "priority", "addresses")


def possible(config: Config) -> Iterator[Finding]:
    """Check that nothing else of an instance rules a virtual MAC out."""
    for name, instance in config.instances.items():
        path: Path = ("instances", name, "vmac")
        if instance.vmac is False:
            continue
        yield from _spoken(path, instance)
        yield from _owned(path, config, instance)
        if all(isinstance(each, AddressElsewhere) for each in instance.addresses):
            message = "none of the addresses is on the instance's interface"
            read = ((*path[:2], "addresses"),)
            yield Finding(path, message, "leave it out", on_key=True, read=read)


def names(config: Config) -> Iterator[Finding]:
    """Check that every interface has a name of its own on each node, and no longer one than 15."""
    taken = {
        (node, interface): ("", f"instance {name} has interface {interface}")
        for name, instance in config.instances.items()
        for node in config.nodes
        if (interface := instance.interface_on(node)) is not None
    }
    for name, instance in config.instances.items():
        for called in _called(name, instance):
            yield from _long(name, instance, called)
            whose = name, f"the vmac of instance {name} is called {called}"
            for node in filter(instance.takes_part, config.nodes):
                first = taken.setdefault((node, called), whose)
                if first != whose:
                    hint = "write vmac: {name: ANOTHER}"
                    yield Finding(_place(name, instance), first[1], hint, read=_read(name, first))
                    break


def _spoken(path: Path, instance: InstanceConfig) -> Iterator[Finding]:
    if instance.unicast and instance.is_veiled:
        message = "adverts to single nodes come from the MAC of the instance's interface"
        hint = "write vmac: {xmit_base: true}, or leave unicast out"
        read = ((*path[:2], "unicast"),)
        yield Finding(path, message, hint, on_key=True, read=read)


def _owned(path: Path, config: Config, instance: InstanceConfig) -> Iterator[Finding]:
    owning = (n for n in filter(instance.takes_part, config.nodes) if _owns(instance, n))
    for node in owning:
        message = (
            f"priority {_OWNER} is for who has the addresses on the interface itself, whose MAC "
            f"would answer, and {node} has it"
        )
        hint = f"write a priority of {_OWNER - 1} or less"
        yield Finding(path, message, hint, on_key=True, read=((*path[:2], "priority"),))
        return


def _owns(instance: InstanceConfig, node: str) -> bool:
    return instance.priority_on(node) == _OWNER


def _called(name: str, instance: InstanceConfig) -> list[str]:
    found = (instance.vmac_of(router, name) for router in instance.routers(name))
    return [each for each in found if each is not None]


def _long(name: str, instance: InstanceConfig, called: str) -> Iterator[Finding]:
    if len(called) > LONGEST:
        message = f"the interface of the IPv6 router would be called {called}"
        hint = f"shorten the name: an interface has at most {LONGEST} characters"
        read = (("instances", name, "addresses"),)
        yield Finding(_place(name, instance), message, hint, read=read)


def _place(name: str, instance: InstanceConfig) -> Path:
    is_named = isinstance(instance.vmac, VmacConfig) and instance.vmac.name is not None
    return ("instances", name, "vmac", "name") if is_named else ("instances", name, "vmac")


def _read(name: str, first: tuple[str, str]) -> tuple[Path, ...]:
    both = [name, first[0]] if first[0] else [name]
    found = [("instances", one, key) for one in both for key in _READ]
    return (*found, *(("instances", one, "vmac") for one in both[1:]))
