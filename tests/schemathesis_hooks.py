"""What the fuzzer does beside what its configuration says."""

import os
import re
from itertools import count

import schemathesis

IDEMPOTENCY_KEY = "idempotency-key"
MAX_LENGTH = 200
MAX_URL_LENGTH = 2048

RECEIVER = os.environ["FUZZ_RECEIVER"]
# Those of the receiver, and one that nothing is sent to.
URLS = [f"{RECEIVER}/taken", f"{RECEIVER}/gone", f"{RECEIVER}/later", RECEIVER.replace("//", "//user:password@")]
# What a URL parser ignores, wherever it stands.
IGNORED = re.compile(r"[\x00-\x20]")

calls = count()


def may_be_sent_to(url):
    """Whether webhooks could be sent there, were it taken."""
    return isinstance(url, str) and len(url) <= MAX_URL_LENGTH and re.match("https?:", IGNORED.sub("", url), re.IGNORECASE)


def with_receiver(target, is_positive, number):
    """The value, with the URL of our own receiver where webhooks could be sent elsewhere."""
    if not isinstance(target, dict) or not isinstance(target.get("url"), str):
        return target
    if not is_positive and not may_be_sent_to(target["url"]):
        return target
    return {**target, "url": URLS[number % len(URLS)]}


@schemathesis.hook
def before_call(context, case, kwargs):
    """
    Nothing is sent beyond this machine: webhooks go to our own receiver. Takes away, most of the time, what would be
    refused before anything else of a request is looked at: a key that was used with another request.
    """
    number = next(calls)
    is_positive = case.meta is not None and case.meta.generation.mode.is_positive
    if isinstance(case.body, dict):
        case.body = with_receiver(case.body, is_positive, number)
        if "webhook" in case.body:
            case.body = {**case.body, "webhook": with_receiver(case.body["webhook"], is_positive, number)}
    if number % 8 == 0 or not is_positive:
        return
    key = (case.headers or {}).get(IDEMPOTENCY_KEY)
    if isinstance(key, str) and len(key) <= MAX_LENGTH:
        case.headers[IDEMPOTENCY_KEY] = f"{key}{number}"
