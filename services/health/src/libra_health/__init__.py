"""Probes backends and publishes verdicts.

From the config to the log, by rooms: `watches` and `asked` read what the config asks; `checks`
are the machines that ask it, one per word of the config, in the words of `wire` and `errands`;
`http` and `protocols` read what backends answer; `verdict` makes of outcomes what the log is told;
`hold` keeps connections; `rows` and `dialogue` are what `probe` shows. All of them are pure;
`shell` alone awaits, opens and reads clocks.
"""
