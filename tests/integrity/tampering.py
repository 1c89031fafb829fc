"""All scenarios, in the order of the table."""

import harmless
import tampering_claims
import tampering_digests
import tampering_logs
import tampering_signatures
from cases import SCENARIOS as REGISTERED

_ORDER = [
    module.__name__ for module in (harmless, tampering_logs, tampering_digests, tampering_signatures, tampering_claims)
]
SCENARIOS = dict(sorted(REGISTERED.items(), key=lambda item: _ORDER.index(item[1].module)))
