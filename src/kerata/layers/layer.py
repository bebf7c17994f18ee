"""The base class of all layers: state, building, calling, masks, dtypes, config."""

from __future__ import annotations

import functools
import inspect
import warnings
from collections.abc import Callable, Sequence
from typing import Any, TypedDict

import numpy as np

from kerata import backends, dtype_policies, regularizers
from kerata.core import dispatch, dtypes, tree
from kerata.core.declare import leaves_of
from kerata.core.dispatch import ENGINE_OF, engine_of_type, shape_of
from kerata.core.errors import ArgumentError, KerataError, StateError
from kerata.core.graph import Operation
from kerata.core.inference import infer_call
from kerata.core.scope import StatelessScope, with_values
from kerata.core.serialization import serialize_argument, serialize_keras_object
from kerata.core.signature import init_parameters
from kerata.core.state import STATE, setting
from kerata.core.tensor import OPS, KerasTensor
from kerata.core.variable import Variable, structure_changed

from .call_spec import call_spec, parameters_of
from .input_spec import InputSpec
from .owner import Owner
from .shapes import as_shape, has_tensor, is_shape, map_shapes, mask_of, set_mask, shapes_in_words, shapes_of

Tensor = Any
_PLAN_LIMIT = 256  # signatures remembered by a layer


class LayerOptions(TypedDict, total=False):
    """The keyword arguments that every layer takes."""

    trainable: bool
    dtype: Any
    autocast: bool
    name: str | None


class CallContext:
    """What one outermost layer call and everything inside it share."""

    __slots__ = ("losses", "root", "training")

    def __init__(self, root: Layer, training: bool | None) -> None:
        self.root, self.training = root, training
        self.losses: list[tuple[Layer, Tensor]] = []


def _collecting_scope() -> StatelessScope | None:
    """The innermost scope of a user's that collects losses."""
    scope = STATE.scope
    while scope is not None and not getattr(scope, "collect_losses", False):
        scope = scope.parent
    return scope


def _in_own_scope(build: Callable[..., None]) -> Callable[..., None]:
    """A `build` whose variables have the layer's path, whoever calls it; if it fails, nothing half built stays.

    A second one changes nothing: it would make the weights twice, where a wrapper builds a layer that a file has built.
    """

    @functools.wraps(build)
    def run(self: Layer, *args: Any, **kwargs: Any) -> None:
        if self.__dict__.get("_building"):  # `super().build(...)`
            build(self, *args, **kwargs)
            return
        if self.built and self.__dict__.get("_build_shapes") is not None:
            return
        scope = (*STATE.name_scope, self.name)
        before, count = dict(self.__dict__), len(self._own_variables)
        self.__dict__.update(_path="/".join(scope), _building=True)
        with (
            setting(engine=self.engine, scope=None, abstract=0, autocast=None, name_scope=scope),
            self.engine.outside_trace(),
        ):
            try:
                build(self, *args, **kwargs)
            except BaseException:
                self.__dict__.clear()
                self.__dict__.update(before)
                del self._own_variables[count:]
                structure_changed()
                raise
        del self.__dict__["_building"]
        self.built = True
        if self.__dict__.get("_build_shapes") is None:
            self._build_shapes = dict(zip(parameters_of(type(self).build), args, strict=False)) | kwargs

    return run


class Layer(Owner):
    """A piece of a model: a computation from tensors to tensors, with the variables that it uses.

    Subclasses create sublayers and remember settings in `__init__`, create variables in `build` with
    `self.add_weight`, and compute in `call` with `kerata.ops`. The same class then runs on every
    engine, eagerly, compiled, and on symbolic tensors.

    Args:
        activity_regularizer: a penalty on the outputs.
        trainable: whether optimizers change its variables.
        dtype: name of a dtype or of a policy such as "mixed_bfloat16", or a `DTypePolicy`.
        autocast: whether float inputs are cast to the compute dtype.
        name: unique in a model.

    Example:
        >>> import kerata, numpy as np
        >>> class Scale(kerata.Layer):
        ...     def build(self, input_shape):
        ...         self.factor = self.add_weight(shape=(input_shape[-1],), initializer="ones")
        ...     def call(self, x):
        ...         return kerata.ops.multiply(x, self.factor)
        >>> Scale()(np.ones((2, 3), "float32")).shape == (2, 3)
        True
    """

    _kerata_variables = True
    _kerata_state_kind: str | None = None
    _tells_activity_regularizer = False  # whether the config names it also where there is none, as in Keras
    _makes_masks = True  # whether an overridden `compute_mask` has to be asked at each call
    # Named here, the signature of `Layer` itself stays open, as in Keras.
    __new__ = Operation.__new__  # type: ignore[assignment]

    def __init__(
        self,
        *,
        activity_regularizer: Any = None,
        trainable: bool = True,
        dtype: Any = None,
        autocast: bool = True,
        name: str | None = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(name)
        input_shape = _first_input_shape(kwargs)
        if kwargs:
            known = ", ".join(init_parameters(type(self)))
            raise ArgumentError(
                next(iter(kwargs)),
                expected=f"an argument of {type(self).__name__} ({known})",
                got=next(iter(kwargs.values())),
            )
        self.engine = backends.current()
        self.activity_regularizer = regularizers.get(activity_regularizer)
        self.dtype_policy = _policy(dtype)
        self.autocast = bool(autocast)
        self._trainable = bool(trainable)
        self.built = False
        self.supports_masking = type(self).compute_mask is not Layer.compute_mask
        self.input_spec: Any = None
        self._own_variables: list[Variable] = []
        self._plans: dict[Any, Callable[[Tensor], Tensor]] = {}
        self._path: str | None = None
        self._collected: list[tuple[Layer, Tensor]] = []
        self._input_shape_arg = input_shape

    # ---- losses ----------------------------------------------------------------------------------
    def add_loss(self, loss: Any) -> None:
        """Adds a scalar (or a list of them) to the loss of the model, from inside `call`."""
        context, collecting = STATE.call, _collecting_scope()
        target = context.losses if context is not None else self._collected
        for one in loss if isinstance(loss, (list, tuple)) else [loss]:
            target.append((self, one))
            if collecting is not None:
                collecting.add_loss(one)

    def _regularization_losses(self) -> list[Tensor]:
        return [v.regularizer(v.value) for v in self.trainable_variables if v.regularizer is not None]

    @property
    def losses(self) -> list[Tensor]:
        """What the last call added with `add_loss`, and the penalties on the weights."""
        context = STATE.call
        if context is None or context.root is self:
            entries = self._collected if context is None else context.losses
            return [loss for _, loss in entries] + self._regularization_losses()
        below = {id(layer) for layer in self._flatten_layers()}
        return [loss for layer, loss in context.losses if id(layer) in below] + self._regularization_losses()

    # ---- building --------------------------------------------------------------------------------
    def __init_subclass__(cls, **kwargs: Any) -> None:
        super().__init_subclass__(**kwargs)
        if "build" in cls.__dict__:
            cls.build = _in_own_scope(cls.__dict__["build"])  # type: ignore[method-assign]

    @_in_own_scope
    def build(self, input_shape: Any) -> None:
        """Creates the variables for an input shape (None where unknown). Subclasses define it."""
        self.built = True

    def _build_for(self, arguments: dict[str, Any]) -> None:
        """Builds from the arguments of a call."""
        shapes = {name: shapes_of(value) for name, value in arguments.items() if has_tensor(value)}
        if not shapes:
            self._check_built_without(arguments)
        given = _shapes_by_name(shapes, parameters_of(type(self).build))
        try:
            self.build(**given)
        except (TypeError, KeyError, IndexError, ValueError) as error:
            self._explain_build(error, arguments, shapes)
            raise
        self._build_shapes = given

    def _explain_build(self, error: Exception, arguments: dict[str, Any], shapes: dict[str, Any]) -> None:
        """Kerata's own layers fail where they are given a structure, a scalar or nothing in the place of a tensor."""
        if isinstance(error, KerataError) or not type(self).__module__.startswith("kerata."):
            return
        first = next(iter(arguments))
        odd = [name for name, shape in shapes.items() if not is_shape(shape) or len(shape) < 2]
        if first not in shapes or odd:
            name = first if first not in shapes else odd[0]
            expected = "a tensor, or the structure of tensors, that the layer takes"
            raise ArgumentError(name, expected=expected, got=arguments[name]) from error

    def _check_built_without(self, arguments: dict[str, Any]) -> None:
        """A layer whose weights follow from its inputs needs one."""
        parameters = list(inspect.signature(type(self).build).parameters.values())[1:]
        if any(p.default is p.empty and p.kind is p.POSITIONAL_OR_KEYWORD for p in parameters):
            name = next(iter(arguments), "inputs")
            raise ArgumentError(name, expected="a tensor, or a structure of tensors", got=arguments.get(name))

    def get_build_config(self) -> dict[str, Any] | None:
        """The shapes that the layer was built for."""
        given = self.__dict__.get("_build_shapes")
        if not given:
            return None
        if len(given) == 1:
            return {"input_shape": next(iter(given.values()))}
        return {"shapes_dict": dict(given)}

    def build_from_config(self, config: dict[str, Any]) -> None:
        """Builds from what `get_build_config` gave."""
        if not config or self.built:
            return
        shapes = config.get("shapes_dict", config)
        shapes = {k: as_shape(v) for k, v in shapes.items()}
        names = parameters_of(type(self).build)
        if set(shapes) == {"input_shape"} and names and names[0] != "input_shape":
            shapes = {names[0]: shapes["input_shape"]}
        self.build(**shapes)
        self._build_shapes = shapes

    # ---- calling ---------------------------------------------------------------------------------
    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        if len(args) == 1 and not kwargs:
            x = args[0]
            if type(x) in ENGINE_OF and getattr(x, "_keras_mask", None) is None:
                context = STATE.call
                if context is None:
                    plan = self._plans.get((type(x), x.shape, x.dtype, None, None))
                    if plan is not None:
                        return self._run_alone(plan, x)
                elif STATE.engine is self.engine:
                    plan = self._plans.get((type(x), x.shape, x.dtype, context.training, STATE.autocast))
                    if plan is not None:
                        try:
                            return plan(x)
                        except ArgumentError as error:
                            raise error.at(self.path) from None
        return self._call_slowly(args, kwargs)

    def _run_alone(self, plan: Callable[[Tensor], Tensor], x: Tensor) -> Tensor:
        """The short way of an outermost call."""
        old_engine, STATE.engine = STATE.engine, self.engine
        STATE.call = context = CallContext(self, None)
        try:
            return plan(x)
        except ArgumentError as error:
            raise error.at(self.path) from None
        finally:
            STATE.call, STATE.engine = None, old_engine
            self.__dict__["_collected"] = context.losses

    def _call_slowly(self, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
        try:
            symbolic = [t for t in leaves_of([args, kwargs]) if type(t) is KerasTensor]
            if any(t.record_history for t in symbolic):
                return self.symbolic_call(*args, **kwargs)
            with setting(engine=self.engine):
                return self._call_now(args, kwargs)
        except ArgumentError as error:
            known = (
                error.path is not None or error.argument.partition("[")[0] in call_spec(type(self)).keywords
            )
            raise error.at(self.path, None if known else shapes_in_words(args, kwargs)) from None

    def _call_now(self, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
        spec = call_spec(type(self))
        simple = len(args) == 1 and not kwargs
        args, kwargs = self._converted(args, kwargs)
        outer = STATE.call
        training = kwargs.get("training")
        if training is None:
            training = outer.training if outer is not None else None
        if spec.takes_training and kwargs.get("training") is None:
            default = spec.signature.parameters["training"].default
            kwargs["training"] = training if training is not None else (False if default is None else default)
        elif not spec.takes_training:
            kwargs.pop("training", None)
        arguments = spec.bind(args, kwargs)
        if not self.built:
            self._check_inputs(args)  # what a layer asks for before its sizes are known
            self._build_for(arguments)
        self._check_inputs(args)
        masks = self._fill_masks(spec, arguments, kwargs)
        context = CallContext(self, training) if outer is None else outer
        inner_training = training if training is not None else context.training
        old_training, context.training = context.training, inner_training
        STATE.call = context
        autocast = self.compute_dtype if self.autocast and self.compute_dtype != self.variable_dtype else None
        old_autocast, STATE.autocast = STATE.autocast, autocast
        old_scope = STATE.name_scope
        if "_building" not in self.__dict__:  # a model that builds itself by its call is in its scope already
            STATE.name_scope = (*old_scope, self.name)
        try:
            outputs = self.call(*args, **kwargs)
            if self.activity_regularizer is not None:
                self.add_loss([self._activity_penalty(out) for out in tree.flatten(outputs)])
        finally:
            STATE.call, STATE.autocast, context.training = outer, old_autocast, old_training
            STATE.name_scope = old_scope
        self._pass_masks(args, arguments, outputs, masks, kwargs.get("mask", arguments.get("mask")))
        if outer is None and not STATE.abstract:  # a question about shapes leaves no trace
            self.__dict__["_collected"] = context.losses
        if simple and not masks and old_autocast == autocast and self.activity_regularizer is None:
            self._remember(args[0], inner_training, spec, autocast, kwargs)
        return outputs

    def _remember(self, x: Any, training: Any, spec: Any, autocast: Any, kwargs: dict[str, Any]) -> None:
        """Keeps the short way for this signature, where nothing but the computation is left to do."""
        if self._makes_masks and type(self).compute_mask is not Layer.compute_mask:
            return
        if type(x) not in ENGINE_OF or len(self._plans) >= _PLAN_LIMIT or STATE.abstract:
            return
        plan = self._short_way(x, kwargs["training"] if spec.takes_training else None, spec.takes_training)
        self._plans[type(x), x.shape, x.dtype, training, autocast] = plan

    def _short_way(self, x: Any, training: Any, takes_training: bool) -> Callable[[Tensor], Tensor]:
        """What is left to call for inputs such as `x`, which was a good one."""
        return functools.partial(self.call, training=training) if takes_training else self.call

    def _activity_penalty(self, out: Tensor) -> Tensor:
        count = OPS["cast"](shape_of(out)[0] if shape_of(out) else 1, dispatch.dtype_of(out))
        return OPS["divide"](self.activity_regularizer(out), count)

    def _needs_cast(self, x: Any) -> bool:
        dtype = dispatch.dtype_of(x)
        return self.autocast and dtypes.is_float(dtype) and dtype != self.compute_dtype

    def _converted(
        self, args: tuple[Any, ...], kwargs: dict[str, Any]
    ) -> tuple[tuple[Any, ...], dict[str, Any]]:
        """Arrays as tensors of the layer's engine, floats in its compute dtype."""
        if args and isinstance(args[0], list) and _all_numbers(args[0]):
            args = (OPS["convert_to_tensor"](args[0]), *args[1:])
        if len(args) == 1 and not kwargs:
            return (tree.map_structure(self._convert_one, args[0]),), {}
        new = tuple(tree.map_structure(self._convert_one, a) for a in args)
        return new, {
            k: v
            if k in ("training", "mask") or k.endswith("_mask")
            else tree.map_structure(self._convert_one, v)
            for k, v in kwargs.items()
        }

    def _convert_one(self, x: Any) -> Any:
        if type(x) is KerasTensor:
            return OPS["cast"](x, self.compute_dtype) if self._needs_cast(x) else x
        kind = type(x)
        owner = engine_of_type(kind)
        if owner is None:
            if isinstance(x, (np.ndarray, np.generic)):
                x = dispatch.to_engine(np.asarray(x), self.engine)
            elif isinstance(x, Variable):
                x = x.value
            else:
                return x
        elif owner is not self.engine:
            raise dispatch.mismatch("inputs", owner, self.engine)
        if self._needs_cast(x):
            cast = OPS["cast"](x, self.compute_dtype)
            mask = self.engine.mask_of(x)
            if mask is not None:
                set_mask(cast, mask)
            return cast
        return x

    def _check_inputs(self, args: tuple[Any, ...]) -> None:
        if self.input_spec is None or not args:
            return
        specs = self.input_spec
        names = call_spec(type(self)).names
        argument = names[0] if names else "inputs"
        if isinstance(specs, InputSpec):
            specs.check(
                args[0] if not isinstance(args[0], list) or len(args[0]) != 1 else args[0][0], argument
            )
            return
        given = tree.flatten(args[0]) if isinstance(specs, (list, tuple)) else args[0]
        if isinstance(specs, dict):
            if not isinstance(given, dict):
                raise ArgumentError(argument, expected=f"a dict with the keys {list(specs)}", got=given)
            for key, one in specs.items():
                if one is not None:
                    one.check(given.get(key), f"{argument}[{key!r}]")
            return
        if len(given) != len(specs):
            raise ArgumentError(argument, expected=f"{len(specs)} tensors", got=f"{len(given)} of them")
        for i, (x, one) in enumerate(zip(given, specs, strict=True)):
            if one is not None:
                one.check(x, f"{argument}[{i}]" if len(specs) > 1 else argument)

    # ---- masks -----------------------------------------------------------------------------------
    def _fill_masks(self, spec: Any, arguments: dict[str, Any], kwargs: dict[str, Any]) -> bool:
        """Puts the masks of the inputs into the mask arguments of `call`; says whether there are any."""
        found = False
        for i, (name, value) in enumerate(arguments.items()):
            if name in ("training", "mask") or name.endswith("_mask") or not has_tensor(value):
                continue
            if not any(mask_of(t) is not None for t in leaves_of(value)):
                continue
            found = True
            masks = tree.map_structure(mask_of, value)
            target = "mask" if i == 0 and spec.takes_mask else f"{name}_mask"
            if target in spec.keywords and arguments.get(target) is None:
                kwargs[target] = masks
        return found or any(kwargs.get(n) is not None for n in ("mask", *spec.masks))

    def _pass_masks(
        self, args: tuple[Any, ...], arguments: dict[str, Any], outputs: Any, masks: bool, given: Any
    ) -> None:
        """Lets the masks that follow from those of the inputs, or from the `mask` given, go with the outputs."""
        if not self.supports_masking:
            if masks and not call_spec(type(self)).any_mask and not self.__dict__.get("_warned_mask"):
                self.__dict__["_warned_mask"] = True
                warnings.warn(
                    f"The layer {self.path!r} (of type {type(self).__name__}) was given an input with a mask, and does "
                    "not support masks: the mask ends here.",
                    stacklevel=4,
                )
            return
        if not masks and type(self).compute_mask is Layer.compute_mask:
            return
        args = args or tuple(v for v in arguments.values() if has_tensor(v))
        inputs = args[0] if len(args) == 1 else list(args)
        previous = tree.map_structure(mask_of, inputs)
        if given is not None:
            previous = given if len(args) == 1 else [given, *previous[1:]]
        with setting(engine=self.engine):
            out_masks = self.compute_mask(inputs, previous)
        flat_out = tree.flatten(outputs)
        flat_masks = list(leaves_of(out_masks))  # of several for one output, the first
        if len(flat_masks) == 1 and len(flat_out) > 1:
            flat_masks = [*flat_masks, *[None] * (len(flat_out) - 1)]
        for out, mask in zip(flat_out, flat_masks, strict=False):
            if mask is not None and mask_of(out) is None:
                set_mask(out, mask)

    def compute_mask(self, inputs: Any, previous_mask: Any) -> Any:
        """The mask of the outputs for the mask(s) of the inputs. The same by default."""
        return previous_mask

    # ---- symbolic --------------------------------------------------------------------------------
    def compute_output_spec(self, *args: Any, **kwargs: Any) -> Any:
        """Abstract outputs for symbolic inputs; builds the layer if it is not built."""
        if not self.built:
            self._check_inputs(args)
            spec = call_spec(type(self))
            known = {k: v for k, v in kwargs.items() if k in spec.keywords}
            self._build_for(spec.bind(args, known))
        try:
            return infer_call(self._abstract_call, args, kwargs, self.engine)
        except Exception:
            # Of a `call` that cannot be run without values, the layer itself may say what comes.
            if type(self).compute_output_shape is Layer.compute_output_shape:
                raise
        return self._announced(call_spec(type(self)).bind(args, kwargs))

    def _announced(self, arguments: dict[str, Any]) -> Any:
        """Abstract outputs of the shapes that the layer's own `compute_output_shape` tells."""
        shapes = {name: shapes_of(value) for name, value in arguments.items() if has_tensor(value)}
        names = parameters_of(type(self).compute_output_shape)
        shape = self.compute_output_shape(**_shapes_by_name(shapes, names))
        return map_shapes(lambda s: KerasTensor(s, self.compute_dtype, record_history=False), shape)

    def _abstract_call(self, *args: Any, **kwargs: Any) -> Any:
        """A call that leaves no losses behind."""
        collected = self.__dict__.get("_collected", [])
        try:
            with setting(engine=self.engine):
                return self._call_now(args, kwargs)
        finally:
            self.__dict__["_collected"] = collected

    def compute_output_shape(self, *args: Any, **kwargs: Any) -> Any:
        """Shape(s) of the outputs for shapes of the inputs (None where unknown)."""
        dtype = self.compute_dtype

        def symbolic(shape: Any) -> Any:
            return map_shapes(lambda s: KerasTensor(s, dtype, record_history=False), shape)

        if not args and len(kwargs) == 1:  # `input_shape`, whatever `call` names its argument
            args, kwargs = tuple(kwargs.values()), {}

        outputs = self.compute_output_spec(
            *(symbolic(a) for a in args), **{k.removesuffix("_shape"): symbolic(v) for k, v in kwargs.items()}
        )
        return tree.map_structure(lambda t: t.shape, outputs)

    # ---- stateless -------------------------------------------------------------------------------
    def stateless_call(
        self,
        trainable_variables: Sequence[Any],
        non_trainable_variables: Sequence[Any],
        *args: Any,
        return_losses: bool = False,
        **kwargs: Any,
    ) -> tuple[Any, ...]:
        """A call as a pure function: `(outputs, non_trainable_variables)`, and the losses if wanted.

        Use it under `jax.jit`, `jax.grad` and the like.
        """
        if not self.built:
            raise StateError(f"Build the layer {self.path!r} before `stateless_call`: call it on data once.")
        try:
            scope = with_values(
                ("trainable_variables", self.trainable_variables, trainable_variables),
                ("non_trainable_variables", self.non_trainable_variables, non_trainable_variables),
            )
        except ArgumentError as error:
            raise error.at(self.path) from None
        with scope:
            outputs = self(*args, **kwargs)
            losses = self.losses if return_losses else None
        after = [scope.get_current_value(v) for v in self.non_trainable_variables]
        return (outputs, after, losses) if return_losses else (outputs, after)

    # ---- config ----------------------------------------------------------------------------------
    def get_config(self) -> dict[str, Any]:
        """The arguments of `__init__` that make such a layer again, as plain data."""
        config: dict[str, Any] = {
            "name": self.name,
            "trainable": self.trainable,
            "dtype": serialize_keras_object(self.dtype_policy),
        }
        if self.activity_regularizer is not None or self._tells_activity_regularizer:
            config["activity_regularizer"] = serialize_keras_object(self.activity_regularizer)
        for name in init_parameters(type(self)):
            if name in ("name", "trainable", "dtype", "autocast", "activity_regularizer"):
                continue
            config[name] = serialize_argument(self._init_value(name))
        return config

    def __repr__(self) -> str:
        return f"<{type(self).__name__} name={self.name}, built={self.built}>"


# ---- pieces --------------------------------------------------------------------------------------


def _shapes_by_name(shapes: dict[str, Any], names: tuple[str, ...]) -> dict[str, Any]:
    """Shapes of a call's arguments, as the arguments of a method that takes shapes: `query_shape` is that of `query`."""
    if not shapes:
        return {}
    first = next(iter(shapes.values()))
    if len(names) == 1 and names[0].removesuffix("_shape") not in shapes:
        return {names[0]: first}
    given = {f"{n}_shape": s for n, s in shapes.items() if f"{n}_shape" in names}
    return given if given or not names else {names[0]: first}


def _all_numbers(value: list[Any]) -> bool:
    """Whether a list, perhaps of lists, holds numbers: then it stands for a tensor."""
    return bool(value) and all(
        _all_numbers(v) if isinstance(v, list) else isinstance(v, (bool, int, float)) for v in value
    )


def _policy(dtype: Any) -> Any:
    try:
        return dtype_policies.get(dtype)
    except ArgumentError as error:
        raise ArgumentError("dtype", expected=error.expected, got=dtype) from None


def _first_input_shape(kwargs: dict[str, Any]) -> Any:
    """`input_shape`, `input_dim` and `batch_input_shape`, with which old code opens a Sequential."""
    shape = kwargs.pop("input_shape", None)
    dim = kwargs.pop("input_dim", None)
    batch_shape = kwargs.pop("batch_input_shape", kwargs.pop("batch_shape", None))
    if batch_shape is not None:
        return tuple(batch_shape)
    if dim is not None:
        return (None, dim)
    return None if shape is None else (None, *shape)
