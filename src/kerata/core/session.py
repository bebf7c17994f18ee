"""Starting anew within one process."""

from __future__ import annotations

import gc

from kerata.core.naming import reset_names


def clear_session(free_memory: bool = True) -> None:
    """Starts automatic names again, and frees what nothing refers to.

    Example:
        >>> import kerata
        >>> kerata.utils.clear_session(); kerata.layers.Dense(1).name
        'dense'
    """
    reset_names()
    if free_memory:
        gc.collect()
