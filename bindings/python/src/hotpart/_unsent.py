"""Whether an attempt without an answer was never sent, by the error that botocore tells of it."""

from __future__ import annotations

from collections.abc import Iterator
from types import TracebackType

# The errors by which a transport says that it has written nothing, each with its package.
_UNSENT = frozenset(
    {
        ("urllib3", "NewConnectionError"),
        ("urllib3", "ConnectTimeoutError"),
        ("socket", "gaierror"),
        ("aiohttp", "ClientConnectorError"),
        ("aiohttp", "ClientHttpProxyError"),
    }
).union(
    (package, name)
    for package in ("httpx", "httpx2")
    for name in ("ConnectError", "ConnectTimeout", "PoolTimeout", "ProxyError")
)
# An error of the handshake or of a proxy has many kinds, but is raised in here.
_CONNECTING = frozenset({"connect", "do_handshake"})
# botocore's own, for what came of no transport's error. Else they say too little: aiobotocore makes
# the first of a connection that was reset, and the second of a request that took too long to write.
_UNSENT_ALONE = frozenset({("botocore", "EndpointConnectionError"), ("botocore", "ConnectTimeoutError")})


def unsent(error: BaseException | None) -> bool:
    """Whether nothing was written when this was raised, so that DynamoDB cannot have run the request.

    Where that is open the attempt may have run.
    """
    if error is None:
        return False
    told = list(_told(error))
    if any(_UNSENT & _kinds(each) or _CONNECTING & _functions(each.__traceback__) for each in told):
        return True
    kinds = _kinds(error)
    if ("botocore", "BotoCoreError") in kinds:
        return len(told) == 1 and not _UNSENT_ALONE.isdisjoint(kinds)
    # botocore wraps whatever its transport raises. This is of a handler that came before the transport,
    # or of a transport of the user's.
    return "_send" not in _functions(error.__traceback__)


def _told(error: BaseException) -> Iterator[BaseException]:
    """Yields an error and those that it says it was made of.

    The one that was being handled is not among them: it may be the caller's.
    """
    todo, seen = [error], set()
    while todo:
        each = todo.pop()
        if id(each) in seen:
            continue
        seen.add(id(each))
        yield each
        named = getattr(each, "kwargs", None)
        of = [each.__cause__, *each.args, *(named.values() if isinstance(named, dict) else ())]
        todo.extend(one for one in of if isinstance(one, BaseException))


def _kinds(error: BaseException) -> frozenset[tuple[str, str]]:
    return frozenset((kind.__module__.partition(".")[0], kind.__name__) for kind in type(error).__mro__)


def _functions(trace: TracebackType | None) -> set[str]:
    """Returns the functions that an error passed through."""
    names = set()
    while trace is not None:
        names.add(trace.tb_frame.f_code.co_name)
        trace = trace.tb_next
    return names
