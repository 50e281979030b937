"""JSON that is wrong in one place, however wrong."""

import copy
from collections.abc import Iterator
from typing import Any

from hypothesis import strategies as st

ANY = st.recursive(
    st.none() | st.booleans() | st.floats() | st.text(max_size=5) | st.integers(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=8,
)


def spoilt(sound: Any) -> st.SearchStrategy[Any]:
    """Copies of ``sound`` in which anything stands at some place."""
    return st.tuples(st.sampled_from(list(_places(sound))), ANY).map(lambda pair: _put(sound, *pair))


def _places(content: Any, path: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    keys = content if isinstance(content, dict) else range(len(content)) if isinstance(content, list) else ()
    for key in keys:
        yield (*path, key)
        yield from _places(content[key], (*path, key))


def _put(sound: Any, path: tuple[Any, ...], wrong: Any) -> Any:
    content = copy.deepcopy(sound)
    parent = content
    for key in path[:-1]:
        parent = parent[key]
    parent[path[-1]] = wrong
    return content
