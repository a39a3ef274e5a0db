"""What can be missing for a lab."""


class LabUnavailable(Exception):
    """The lab cannot run here; the message is one sentence that says why and what to do."""
