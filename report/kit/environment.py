"""The one jinja2 environment: templates of `report/`, everything escaped, every name known.

What a template prints is made harmless (`text.harmless`), then escaped. Two habits go around the
first of these and are not for templates: joining markup and text with `~`, and the filter `safe`.
"""

from __future__ import annotations

from functools import cache
from importlib.resources import files

from jinja2 import Environment, FunctionLoader, StrictUndefined
from markupsafe import Markup

from . import numbers, text

PACKAGE = __package__.rpartition(".")[0]
FILTERS = (
    numbers.count,
    numbers.plural,
    numbers.compact,
    numbers.significant,
    numbers.size,
    numbers.percent,
    numbers.rough_percent,
    numbers.share,
    numbers.duration,
    numbers.millis,
    text.clipped,
    text.tail,
)


def asset(name: str) -> str:
    """The text of a file of `report/`, such as `kit/style.css`."""
    return files(PACKAGE).joinpath(name).read_text(encoding="utf-8")


@cache
def environment() -> Environment:
    """The environment; templates are named by their path below `report/`."""
    templates = Environment(
        loader=FunctionLoader(asset),
        autoescape=True,
        finalize=text.harmless,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=False,
    )
    templates.filters.update({function.__name__: function for function in FILTERS})
    templates.filters["lines"] = text.escaped_lines
    return templates


def render(template: str, **context: object) -> Markup:
    """A template as markup; a name that the context lacks is an error."""
    return Markup(environment().get_template(template).render(**context))
