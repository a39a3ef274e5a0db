"""Verdicts: from the outcomes of checks to what the log is told of a backend; pure.

`watch`: the backends, and which probes each needs. `tally` counts, by `debounce`; `taking_up` is
what a tally begins with. `ruling` makes a `stand` of it, by `policy` and by what steadies a pool:
`damping`, `blast`, `ramp`, `weight`, `vantage`. `evidence` writes it down.

The one rule: of a check it knows the outcome alone, and of a probe whether it asks the same.
"""

from libra_health.verdict import blast, vantage
from libra_health.verdict.blast import Guard, Member
from libra_health.verdict.damping import Damping
from libra_health.verdict.debounce import Standing
from libra_health.verdict.evidence import ballot_of, known_of, state_of
from libra_health.verdict.policy import Policy
from libra_health.verdict.ruling import Verdict, member_of, rule
from libra_health.verdict.stand import Known
from libra_health.verdict.taking_up import begin, recall
from libra_health.verdict.tally import Tally, condemn, record, standing, stirs
from libra_health.verdict.vantage import Ballot, Heard, Vantage
from libra_health.verdict.watch import FanOut, Key, Lookout, Watch, fan_out, pools_of

__all__ = [
    "Ballot", "Damping", "FanOut", "Guard", "Heard", "Key", "Known", "Lookout", "Member", "Policy",
    "Standing", "Tally", "Vantage", "Verdict", "Watch", "ballot_of", "begin", "blast", "condemn",
    "fan_out", "known_of", "member_of", "pools_of", "recall", "record", "rule", "standing",
    "state_of", "stirs", "vantage",
]  # fmt: skip
