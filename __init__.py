"""Pagemill: dumps of PDFs into verified page corpora, and the model that reads them.

What most users need, imported when it is first named:

    corpus = pagemill.open_corpus("corpus")                 pages by number and by key
    plan = pagemill.plan_page(page, seed=0, epoch=0, schedule=pagemill.Schedule())
    image = pagemill.corrupt(corpus.image(page), plan)      its corrupted picture
    stream = pagemill.PageStream({"corpus": 1.0}, processor, seed=0)
    model = pagemill.load_model(Path("run"))                a Hugging Face model

Rooms, in the direction in which imports run: `engine`, `corruption`, `model`, `train`, `serve`,
`pipelines`, `report`, `command`; `docs/architecture.md` is the map. `__init__.pyi` has the types.
"""

from importlib import import_module

__version__ = "0.6.0"

_HOMES = {
    "Page": "engine.page",
    "PageStream": "train.stream.stream",
    "Schedule": "corruption.schedule",
    "corrupt": "corruption.apply",
    "load_model": "model.load",
    "load_processor": "model.load",
    "open_corpus": "engine.store.samples",
    "plan_page": "corruption.plan",
}
"""Name to the module that defines it."""

__all__ = [
    "Page",
    "PageStream",
    "Schedule",
    "__version__",
    "corrupt",
    "load_model",
    "load_processor",
    "open_corpus",
    "plan_page",
]


def __getattr__(name: str) -> object:
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    try:
        value = getattr(import_module(f".{_HOMES[name]}", __name__), name)
    except ModuleNotFoundError as err:
        package = (err.name or "").partition(".")[0]
        if package == __name__:
            raise
        from .engine.errors import DependencyError

        raise DependencyError(
            f"pagemill.{name} needs {package}: pip install 'pagemill[train]'"
        ) from err
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
