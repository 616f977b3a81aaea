"""What the fuzzer does beside what its configuration says."""

from itertools import count

import schemathesis

IDEMPOTENCY_KEY = "idempotency-key"
MAX_LENGTH = 200

calls = count()


@schemathesis.hook
def before_call(context, case, kwargs):
    """
    Takes away, most of the time, what would be refused before anything else of a request is looked at: a key that was
    used with another request, and webhooks, which the shipped model does not take.
    """
    number = next(calls)
    if number % 8 == 0 or case.meta is None or not case.meta.generation.mode.is_positive:
        return
    key = (case.headers or {}).get(IDEMPOTENCY_KEY)
    if isinstance(key, str) and len(key) <= MAX_LENGTH:
        case.headers[IDEMPOTENCY_KEY] = f"{key}{number}"
    if isinstance(case.body, dict) and "webhook" in case.body:
        case.body = {**case.body, "webhook": None}
