from .corruption import Schedule as Schedule
from .corruption import corrupt as corrupt
from .corruption import plan_page as plan_page
from .engine.page import Page as Page
from .engine.store.samples import open_corpus as open_corpus
from .model.load import load_model as load_model
from .model.load import load_processor as load_processor
from .train.stream.stream import PageStream as PageStream

__version__: str
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
