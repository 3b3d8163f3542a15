"""The pages that machines look at: is it alive, is it ready, how is it doing. They tell nothing of any account."""

from collections.abc import Callable
from typing import Final

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from heliograph.ops.metrics import CONTENT_TYPE, Metrics

_FRESH: Final = {"Cache-Control": "no-store"}


def routes(missing: Callable[[], list[str]], metrics: Metrics) -> list[Route]:
    """`/livez`, `/readyz` and `/metrics`. missing: what the server still waits for; nothing means it is ready."""

    async def livez(_request: Request) -> Response:
        return JSONResponse({"alive": True}, headers=_FRESH)

    async def readyz(_request: Request) -> Response:
        waits_for = missing()
        body = {"ready": not waits_for, "waits_for": waits_for}
        return JSONResponse(body, status_code=503 if waits_for else 200, headers=_FRESH)

    async def figures(_request: Request) -> Response:
        return Response(metrics.render(), headers=_FRESH | {"Content-Type": CONTENT_TYPE})

    return [Route("/livez", livez), Route("/readyz", readyz), Route("/metrics", figures)]
