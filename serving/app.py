"""The application: routes, the one error table, and what happens at start and end."""

from __future__ import annotations

import asyncio
import contextlib
import gc
import logging
import signal
import time
from collections.abc import AsyncIterator, Callable, Coroutine
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from types import FrameType
from typing import Any, Final

from fastapi import FastAPI
from starlette.staticfiles import StaticFiles

from clv.errors import ClvError
from serving.access.curiosity import Curiosity
from serving.access.gate import Gate
from serving.access.identity import Doorkeeper
from serving.agent import page
from serving.api import (
    conversations,
    customers,
    decisions,
    events,
    generations,
    health,
    offers,
    people,
    segments,
)
from serving.champions import Champions
from serving.colleagues import EVERY_SECONDS, Colleagues
from serving.description import described
from serving.doorway import Doorway, security_headers
from serving.engines import open_publication
from serving.erasure import forget_published, is_looked_through
from serving.errors import add_error_handlers
from serving.express import Express
from serving.logs import set_up_logs
from serving.memory import Memory
from serving.metrics import Metrics
from serving.published import Opener, Publication, Shelf
from serving.refusals import Refusal
from serving.secret import installation_secret
from serving.service import Service
from serving.settings import Settings, load_settings
from serving.store.keys import all_keys

log = logging.getLogger("clv.serving")

LARGEST_BODY: Final = 512_000
ROUTERS: Final = (
    customers,
    offers,
    segments,
    events,
    decisions,
    conversations,
    generations,
    people,
    health,
    page,
)
_RECOVER_SECONDS: Final = 1.0
_TIDY_SECONDS: Final = 0.25
_FORGET_SECONDS: Final = 3600.0
_DESCRIPTION: Final = (
    "A field that a body does not know is refused; a parameter that a route does not know, behind the "
    "question mark of an address, is ignored. Every error has one shape, with a hint what to do."
)
_GARBAGE: Final = (20_000, 20, 20)


def create_app(settings: Settings | None = None, opener: Opener = open_publication) -> FastAPI:
    """Make the application.

    Parameters
    ----------
    settings
        Every section the service reads; from ``clv.toml`` and the environment unless given.
    opener
        Opens a published generation and builds its engine.

    Raises
    ------
    SettingError
        If a setting cannot be meant, or the secret cannot be read.
    """
    settings = settings or load_settings()
    set_up_logs(settings.serving.log_level)
    secret = installation_secret(settings)
    data_dir = settings.data.data_dir
    colleagues = Colleagues(data_dir / "workers" if settings.serving.workers > 1 else None)
    metrics = Metrics(colleagues.figures)
    folder = data_dir / "champions" / "serving"
    champions = Champions(settings.serving.registry, data_dir / "mlartifacts", folder)
    shelf = Shelf(settings.published, opener, champions)
    service = Service(settings, shelf, Memory(settings, secret), metrics, champions)
    app = FastAPI(
        title="Customer value and next best offer",
        summary="Who a customer is, what to say next, and who is in a segment.",
        description=_DESCRIPTION,
        version="1",
        docs_url=None,  # the stock pages load scripts from elsewhere; contact centres run closed networks
        redoc_url=None,
        telemetry={"tracing": False, "metrics": False, "logs": False},
        lifespan=_lifespan,
    )
    app.state.service = service
    app.state.colleagues = colleagues
    app.state.gate = gate = _gate(settings, secret, service.memory, colleagues)
    app.state.headers = security_headers(settings.security.frame_ancestors)
    app.add_middleware(Express, service=service, gate=gate)
    app.add_middleware(Doorway, headers=app.state.headers, largest_body=LARGEST_BODY, metrics=metrics)
    for noun in ROUTERS:
        app.include_router(noun.router)
    app.mount("/static", StaticFiles(directory=Path(__file__).parent / "agent" / "static"), name="static")
    add_error_handlers(app)
    app.openapi = partial(described, app, sign_in=settings.security.sign_in)  # type: ignore[method-assign]
    _add_gauges(service)
    return app


def _arrange_memory(service: Service) -> None:
    """Set what will stay for long aside from the search for garbage, and search less often.

    A generation is hundreds of thousands of objects. Looked through again and again, they cost a third of the
    processor's time while events come in, and make answers wait.
    """
    if not service.owns_process:
        return
    gc.unfreeze()
    gc.collect()
    gc.freeze()
    gc.set_threshold(*_GARBAGE)


def _hear_of_the_end(service: Service) -> None:
    """Tell streams that this process is told to end: they would hold it up for as long as it may take."""
    if not service.owns_process:
        return
    for number in (signal.SIGTERM, signal.SIGINT):
        before = signal.getsignal(number)

        def told(got: int, frame: FrameType | None, before: Any = before) -> None:  # noqa: ANN401
            service.closing = True
            if callable(before):
                before(got, frame)

        signal.signal(number, told)


def _gate(settings: Settings, secret: bytes, memory: Memory, colleagues: Colleagues) -> Gate:
    security = settings.security
    tokens = None
    if security.issuer:
        from serving.access.tokens import Tokens  # noqa: PLC0415  (cryptography only where people sign in)

        tokens = Tokens(security)
    doorkeeper = Doorkeeper(secret, partial(all_keys, memory.database), tokens)
    curiosity = Curiosity(
        security.customers_per_hour,
        lambda: time.time_ns() // 1000,
        memory.pseudonyms.of,
        memory.note_lookup,
    )
    return Gate(settings, doorkeeper, curiosity, colleagues.room)


def _add_gauges(service: Service) -> None:
    shelf, memory = service.shelf, service.memory
    service.metrics.gauges |= {
        "clv_model_age_seconds": ("Since the models in use were put in place.", lambda: shelf.age_seconds),
        "clv_registry_silent_seconds": (
            "Since the registry last named a champion that could be used.",
            lambda: service.champions.silent_seconds,
        ),
        "clv_generation": ("Running number of the generation in use.", lambda: shelf.sequence),
        "clv_swaps": ("Generations put in place by this process.", lambda: shelf.swaps),
        "clv_queue": ("Events and decisions that wait to be written.", lambda: memory.commits.weight),
        "clv_commits": ("Transactions committed.", lambda: memory.commits.commits),
        "clv_trouble": ("How many things are wrong just now.", lambda: len(service.trouble())),
        "clv_requests_running": ("Requests under way.", lambda: service.metrics.running),
    }


@contextlib.asynccontextmanager
async def _lifespan(app: FastAPI) -> AsyncIterator[None]:
    """Open store and publication before the first question; look after both until the last is answered."""
    service: Service = app.state.service
    await asyncio.to_thread(service.memory.open)
    await asyncio.to_thread(service.shelf.refresh)
    if await _note_publication(service, service.shelf.current):
        service.noted = service.shelf.current
    _arrange_memory(service)
    _hear_of_the_end(service)
    duties = {
        duty.__name__: partial(duty, service) for duty in (_watch, _recover, _tidy, _forget, _ask_registry)
    }
    duties[_tell.__name__] = partial(_tell, service.metrics, app.state.colleagues)
    tasks = [asyncio.create_task(_keep(name.strip("_"), duty)) for name, duty in duties.items()]
    try:
        yield
    finally:
        service.closing = True
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        await service.memory.close()


async def _keep(name: str, duty: Callable[[], Coroutine[Any, Any, None]]) -> None:
    """Do a duty to its end; a mistake of ours in it is logged, and the duty goes on."""
    while True:
        task = asyncio.create_task(duty())
        try:
            await asyncio.wait((task,))
        finally:
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)
        failure = task.exception()
        if failure is None:
            return
        log.error("duty failed", exc_info=failure, extra={"facts": {"duty": name}})
        await asyncio.sleep(_RECOVER_SECONDS)


async def _watch(service: Service) -> None:
    """Look for a newer generation for ever; remember each that came into use, say once why one is not."""
    trouble, unlooked, arranged, noted = "", "", service.shelf.current, service.noted
    while True:
        why = await _look_through(service)
        if why not in {"", unlooked}:
            log.warning("generation not looked through", extra={"facts": {"why": why}})
        unlooked = why
        if service.shelf.trouble not in {"", trouble}:
            log.error("publication not in use", extra={"facts": {"why": service.shelf.trouble_in_full}})
        trouble = service.shelf.trouble
        await asyncio.sleep(service.settings.serving.poll_seconds)
        await asyncio.to_thread(service.shelf.refresh)
        if service.shelf.current is not arranged:  # whoever put it in place: this, an erasure, a champion
            arranged = service.shelf.current
            log.info("generation in use", extra={"facts": {"snapshot": service.shelf.require().name}})
            _arrange_memory(service)
        if arranged is not noted and await _note_publication(service, arranged):
            noted = arranged


async def _look_through(service: Service) -> str:
    """Take who asked to be forgotten out of a generation that may hold them; return why that failed, if so.

    It may where the generation is a new one, made before the night knew, or where people asked since: at
    another worker, or at this one while the publication could not be changed.
    """
    try:
        if not await asyncio.to_thread(is_looked_through, service):
            await asyncio.to_thread(forget_published, service)
    except (ClvError, OSError) as error:  # another worker is at it, or the store is down: the next round
        return str(error)
    return ""


async def _ask_registry(service: Service) -> None:
    """Ask for ever who is champion, where the registry is named; swap when it is another."""
    while service.settings.serving.registry:
        if await asyncio.to_thread(service.champions.poll) and await asyncio.to_thread(service.shelf.refresh):
            log.info("champion in use", extra={"facts": {"models": service.shelf.require().models}})
        await asyncio.sleep(service.settings.serving.registry_seconds)


async def _recover(service: Service) -> None:
    """Try again, for ever, what the store did not take while it was in trouble."""
    while True:
        await asyncio.sleep(_RECOVER_SECONDS)
        await service.memory.recover()


async def _tidy(service: Service) -> None:
    """Keep the store's write-ahead log short for ever, so that no answer has to wait for it."""
    while True:
        await asyncio.sleep(_TIDY_SECONDS)
        await service.memory.tidy()


async def _forget(service: Service) -> None:
    """Forget for ever, once an hour, what is older than it is to be kept."""
    while True:
        try:
            gone = await service.memory.forget_old(datetime.now(UTC))
        except Refusal as error:  # the store is in trouble, or busy: the next hour
            log.warning("old rows not forgotten", extra={"facts": {"why": error.what}})
        else:
            if gone:
                log.info("old rows forgotten", extra={"facts": {"rows": gone}})
        await asyncio.sleep(_FORGET_SECONDS)


async def _tell(metrics: Metrics, colleagues: Colleagues) -> None:
    """Tell the other workers for ever what this one counted; say once when that cannot be done."""
    trouble = ""
    while colleagues.present:
        try:
            await asyncio.to_thread(colleagues.tell, metrics.figures())
        except OSError as error:
            if not trouble:
                log.warning("figures not shared", extra={"facts": {"why": str(error)}})
            trouble = str(error)
        else:
            trouble = ""
        await asyncio.sleep(EVERY_SECONDS)


async def _note_publication(service: Service, publication: Publication | None) -> bool:
    """Keep what the generation holds in force, so that its decisions can be explained later.

    Returns
    -------
    bool
        Whether that is done; a store in trouble is asked again.
    """
    if publication is None:
        return True
    try:
        await service.memory.note_publication(publication)
    except Refusal as error:
        log.warning("generation not noted", extra={"facts": {"why": error.what}})
        return False
    return True
