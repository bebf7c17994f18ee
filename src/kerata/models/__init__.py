"""Models: Sequential stacks, Functional graphs, subclasses."""

from typing import TYPE_CHECKING, Any

from .cloning import clone_model as clone_model
from .functional import Functional as Functional
from .model import Model as Model
from .sequential import Sequential as Sequential

if TYPE_CHECKING:
    from kerata.saving import load_model as load_model
    from kerata.saving import model_from_json as model_from_json
    from kerata.saving import save_model as save_model


def __getattr__(name: str) -> Any:
    # Saving stands above models; only its public names are also offered here.
    if name in ("load_model", "model_from_json", "save_model"):
        import importlib

        return getattr(importlib.import_module("kerata.saving"), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
