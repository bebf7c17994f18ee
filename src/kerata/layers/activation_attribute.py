"""The attribute of layers that is an activation function."""

from __future__ import annotations

from typing import Any

from kerata import activations
from kerata.core.variable import structure_changed


class ActivationAttribute:
    """Takes what `activations.get` takes, at any time: None is the identity, and what was compiled is compiled anew."""

    def __set_name__(self, owner: type, name: str) -> None:
        self.name = name

    def __get__(self, layer: Any, owner: type) -> Any:
        if layer is None:
            return self
        try:
            return layer.__dict__[self.name]
        except KeyError:
            raise AttributeError(self.name) from None

    def __set__(self, layer: Any, value: Any) -> None:
        layer.__dict__[self.name] = activations.get(value)
        structure_changed()
