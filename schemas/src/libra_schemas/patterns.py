"""Regular expressions of the config, as they are matched: against the bytes of an answer.

Rule: what the config accepts is exactly what the health service can compile.
"""

import re
import warnings


def pattern_of(text: str) -> re.Pattern[bytes]:
    """Compile *text* for bytes; raise ValueError with what is wrong with it."""
    if not text.isascii():
        raise ValueError(r"a regular expression is ASCII here; write é as \xc3\xa9 (UTF-8)")
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # of what newer Pythons may read otherwise
            return re.compile(text.encode())
    except (re.error, ValueError, OverflowError) as error:
        raise ValueError(f"no regular expression: {error}") from None
    except RecursionError:
        raise ValueError("no regular expression: nested too deeply") from None
