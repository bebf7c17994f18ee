"""Models that are made the same way with Keras and with Kerata: each function takes the package.

Used on both sides of the peer tests: Keras saves and Kerata loads, and the other way round. Each function gives the
model and its inputs; the weights are those that the model was born with, or what `fit` made of them.
"""

import numpy as np

MODELS = {}
NEEDS = {}  # name of a model -> names that the package must have for it
TARGETS = {}  # id of a model -> what it was trained on


def model(fn):
    MODELS[fn.__name__] = fn
    return fn


def needs(*names):
    def note(fn):
        NEEDS[fn.__name__] = names
        return model(fn)

    return note


def names_in(keras):
    """Names of the models that can be made with a package."""

    def has(need):
        owner, _, method = need.partition(".")
        return hasattr(keras.layers, owner) and (not method or hasattr(getattr(keras.layers, owner), method))

    return sorted(name for name in MODELS if all(map(has, NEEDS.get(name, ()))))


def floats(*shape, seed=0):
    return np.random.default_rng(seed).normal(size=shape).astype("float32")


def ints(high, *shape):
    return np.random.default_rng(1).integers(0, high, size=shape).astype("int32")


def stack(keras, shape, *layers, dtype="float32"):
    return keras.Sequential([keras.Input(shape, dtype=dtype), *layers])


def trained(made, x, y, **options):
    options.setdefault("optimizer", "adam")
    options.setdefault("loss", "mse")
    made.compile(**options)
    TARGETS[id(made)] = y
    train(made, x)
    return made


def train(made, x):
    """One more epoch of two steps, on the targets that the model was made with."""
    made.fit(x, TARGETS[id(made)], batch_size=4, epochs=1, shuffle=False, verbose=0)


# ---- stacks ----------------------------------------------------------------------------------------------------


@model
def dense(keras):
    layers = keras.layers
    x = floats(8, 5)
    made = stack(
        keras,
        (5,),
        layers.Dense(6, activation="relu", kernel_regularizer="l2", bias_initializer="ones"),
        layers.Dense(4, activation=keras.activations.gelu, kernel_constraint=keras.constraints.MaxNorm(2.0)),
        layers.Dense(3, use_bias=False, activity_regularizer=keras.regularizers.L1(0.01), name="last"),
    )
    return trained(made, x, floats(8, 3, seed=2), metrics=["mae"]), x


@model
def classifier(keras):
    layers = keras.layers
    x, y = floats(8, 6), ints(3, 8)
    made = stack(keras, (6,), layers.Dense(5, activation="tanh"), layers.Dropout(0.0), layers.Dense(3))
    loss = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
    optimizer = keras.optimizers.SGD(keras.optimizers.schedules.ExponentialDecay(0.1, 3, 0.9), momentum=0.9)
    return trained(made, x, y, loss=loss, optimizer=optimizer, metrics=["accuracy"]), x


@model
def einsum_dense(keras):
    layers = keras.layers
    return stack(
        keras,
        (4, 5),
        layers.EinsumDense("abc,cd->abd", output_shape=(None, 6), bias_axes="d", activation="relu"),
        layers.EinsumDense("abc,cde->abde", output_shape=(None, 2, 3)),
    ), floats(2, 4, 5)


@model
def embedding(keras):
    layers = keras.layers
    return stack(
        keras,
        (7,),
        layers.Embedding(11, 5, mask_zero=True),
        layers.LSTM(4),
        dtype="int32",
    ), ints(11, 3, 7)


@model
def conv1d(keras):
    layers = keras.layers
    return stack(
        keras,
        (12, 4),
        layers.Conv1D(6, 3, padding="causal", dilation_rate=2, activation="relu"),
        layers.Conv1D(6, 3, strides=2, padding="same", groups=2),
        layers.SeparableConv1D(5, 3, depth_multiplier=2),
        layers.Conv1DTranspose(3, 2, strides=2),
        layers.GlobalMaxPooling1D(),
    ), floats(2, 12, 4)


@model
def conv2d(keras):
    layers = keras.layers
    x = floats(4, 9, 9, 3)
    made = stack(
        keras,
        (9, 9, 3),
        layers.ZeroPadding2D(1),
        layers.Conv2D(4, 3, padding="same", activation="swish"),
        layers.BatchNormalization(),
        layers.MaxPooling2D(2),
        layers.DepthwiseConv2D(3, depth_multiplier=2),
        layers.SeparableConv2D(5, 2),
        layers.Conv2DTranspose(3, 2, strides=2),
        layers.AveragePooling2D(2, padding="same"),
        layers.Cropping2D(((0, 1), (0, 0))),
        layers.UpSampling2D(2),
        layers.Flatten(),
        layers.Dense(2),
    )
    return trained(made, x, floats(4, 2), optimizer="rmsprop"), x


@model
def conv3d(keras):
    layers = keras.layers
    return stack(
        keras,
        (5, 5, 5, 2),
        layers.Conv3D(3, 2),
        layers.Conv3DTranspose(2, 2),
        layers.GlobalAveragePooling3D(),
    ), floats(2, 5, 5, 5, 2)


@model
def normalizations(keras):
    layers = keras.layers
    return stack(
        keras,
        (6, 8),
        layers.LayerNormalization(axis=(1, 2)),
        layers.GroupNormalization(4),
        layers.UnitNormalization(),
        layers.RMSNormalization(),
        layers.BatchNormalization(scale=False, momentum=0.5),
        layers.SpectralNormalization(layers.Dense(3)),
    ), floats(2, 6, 8)


@model
def recurrent(keras):
    layers = keras.layers
    return stack(
        keras,
        (5, 4),
        layers.LSTM(3, return_sequences=True, recurrent_activation="hard_sigmoid"),
        layers.GRU(4, return_sequences=True, reset_after=False),
        layers.SimpleRNN(3, return_sequences=True),
        layers.Bidirectional(layers.GRU(2, return_sequences=True), merge_mode="sum"),
        layers.TimeDistributed(layers.Dense(3)),
        layers.RNN([layers.LSTMCell(3), layers.GRUCell(2)], return_sequences=True),
        layers.Bidirectional(layers.LSTM(2), backward_layer=layers.LSTM(3, go_backwards=True)),
    ), floats(2, 5, 4)


@needs("ConvLSTM2D")
def conv_lstm(keras):
    return stack(keras, (3, 5, 5, 2), keras.layers.ConvLSTM2D(3, 2, return_sequences=True)), floats(
        2, 3, 5, 5, 2
    )


@model
def activations(keras):
    layers = keras.layers
    return stack(
        keras,
        (6,),
        layers.PReLU(alpha_initializer="ones"),
        layers.LeakyReLU(0.2),
        layers.ELU(0.5),
        layers.ReLU(max_value=3.0, negative_slope=0.1),
        layers.Activation("mish"),
        layers.Activation(keras.activations.softplus),
        layers.Softmax(),
        layers.Dense(3, activation=layers.LeakyReLU(0.1)),
    ), floats(3, 6)


@needs("Rescaling")
def shapes(keras):
    layers = keras.layers
    return stack(
        keras,
        (4, 6),
        layers.Permute((2, 1)),
        layers.Reshape((2, 3, -1)),
        layers.Flatten(),
        layers.RepeatVector(2),
        layers.Rescaling(0.5, offset=1.0),
        layers.Masking(),
        layers.GlobalAveragePooling1D(),
    ), floats(2, 4, 6)


@needs("Normalization")
def normalization(keras):
    layer = keras.layers.Normalization()
    layer.adapt(floats(20, 4) * 3 + 1)
    return stack(keras, (4,), layer, keras.layers.Dense(2)), floats(3, 4)


@model
def mixed_precision(keras):
    layers = keras.layers
    return stack(
        keras,
        (4,),
        layers.Dense(5, dtype="mixed_bfloat16"),
        layers.Dense(3, dtype="bfloat16"),
        layers.Dense(2),
    ), floats(3, 4)


@needs("Dense.enable_lora")
def lora(keras):
    made = stack(keras, (4,), keras.layers.Dense(3), keras.layers.Dense(2))
    made.layers[0].enable_lora(2)
    return made, floats(3, 4)


@needs("Dense.quantize")
def quantized(keras):
    made = stack(keras, (4,), keras.layers.Dense(3), keras.layers.Dense(2))
    made.quantize("int8")
    return made, floats(3, 4)


@model
def unbuilt(keras):
    return keras.Sequential([keras.layers.Dense(3)]), None


@model
def half_precision(keras):
    layers = keras.layers
    return stack(
        keras,
        (4,),
        layers.Dense(5, dtype="mixed_float16"),
        layers.Dense(4, dtype="float16"),
        layers.Dense(3, dtype=keras.DTypePolicy("float64")),
        layers.Dense(2, activation=layers.Activation("relu", dtype="float64")),
    ), floats(3, 4)


@model
def deferred(keras):
    """Without an input: built by the call on data."""
    made = keras.Sequential([keras.layers.Dense(3, activation="relu"), keras.layers.Dense(2)])
    x = floats(8, 4)
    return trained(made, x, floats(8, 2), optimizer="sgd"), x


@model
def initializers(keras):
    layers, all_of = keras.layers, keras.initializers
    square = [
        all_of.Identity(2.0), all_of.Orthogonal(0.5), all_of.VarianceScaling(2.0, "fan_out", "uniform"), "he_normal",
        "lecun_uniform", all_of.Constant(0.25), all_of.RandomUniform(-0.1, 0.1, seed=3),
    ]  # fmt: skip
    return stack(keras, (4,), *(layers.Dense(4, kernel_initializer=one) for one in square)), floats(3, 4)


@model
def penalties(keras):
    layers, penalty, limit = keras.layers, keras.regularizers, keras.constraints
    x = floats(8, 4)
    made = stack(
        keras,
        (4,),
        layers.Dense(
            4, kernel_regularizer=penalty.L1L2(0.01, 0.02), kernel_constraint=limit.UnitNorm(axis=1)
        ),
        layers.Dense(
            4, bias_regularizer=penalty.L2(0.1), kernel_constraint=limit.MinMaxNorm(0.2, 1.0, rate=0.9)
        ),
        layers.Dense(
            3, kernel_regularizer=penalty.OrthogonalRegularizer(0.01), bias_constraint=limit.NonNeg()
        ),
        layers.ActivityRegularization(l1=0.01, l2=0.02),
    )
    return trained(made, x, floats(8, 3), optimizer="sgd"), x


@model
def padded(keras):
    """Masks travel through layers of all kinds, and are computed by ops from a symbolic one."""
    layers = keras.layers
    x = keras.Input((5, 3), name="x")
    masked = layers.Masking(0.0)(x)
    y = layers.Bidirectional(layers.LSTM(2, return_sequences=True), merge_mode="concat")(masked)
    z = layers.TimeDistributed(layers.Dense(4))(y)
    w = layers.MultiHeadAttention(2, 2)(z, z)
    data = floats(3, 5, 3)
    data[1, 3:] = data[2, 1:] = 0
    return keras.Model(x, [layers.GRU(2)(y), layers.GlobalAveragePooling1D()(z), layers.Add()([z, w])]), data


# ---- graphs ----------------------------------------------------------------------------------------------------


@model
def two_inputs(keras):
    layers = keras.layers
    a, b = keras.Input((4,), name="zebra"), keras.Input((3,), name="ant")
    left, right = layers.Dense(5, name="left")(a), layers.Dense(5, name="right")(b)
    both = layers.Concatenate()([layers.Add()([left, right]), layers.Multiply()([left, right])])
    outputs = [layers.Dense(2, name="first")(both), layers.Dense(1, name="second")(both)]
    made = keras.Model([a, b], outputs)
    x = [floats(6, 4), floats(6, 3)]
    loss = {"first": "mse", "second": "mae"}
    y = [floats(6, 2), floats(6, 1)]
    return trained(made, x, y, loss=["mse", "mae"] if loss else None, loss_weights=[1.0, 0.5]), x


@model
def dictionaries(keras):
    layers = keras.layers
    inputs = {"b": keras.Input((4,), name="b"), "a": keras.Input((4,), name="a")}
    y = layers.Dense(3)(inputs["a"])
    z = layers.Subtract()([inputs["b"], inputs["a"]])
    return keras.Model(inputs, {"y": y, "z": [z, layers.Average()([z, inputs["a"]])]}), {
        "a": floats(2, 4),
        "b": floats(2, 4, seed=3),
    }


@model
def shared(keras):
    layers = keras.layers
    a, b = keras.Input((4,)), keras.Input((4,))
    dense = layers.Dense(3, activation="tanh", name="shared")
    return keras.Model([a, b], layers.Dot(axes=1)([dense(a), dense(b)])), [floats(2, 4), floats(2, 4, seed=4)]


@model
def nested(keras):
    layers = keras.layers
    inner_input = keras.Input((4,), name="inner_input")
    inner = keras.Model(inner_input, layers.Dense(4, name="inner_dense")(inner_input), name="inner")
    other = keras.models.clone_model(inner)
    tower = keras.Sequential([keras.Input((4,)), other, layers.Dense(4, name="tower_dense")], name="tower")
    x = keras.Input((4,), name="x")
    return keras.Model(x, layers.Add()([tower(x), inner(x), tower(inner(x))])), floats(3, 4)


@model
def attention(keras):
    layers = keras.layers
    q, v = keras.Input((5, 6)), keras.Input((4, 6))
    x = layers.MultiHeadAttention(2, 3, value_dim=2, dropout=0.1)(q, v)
    x = layers.MultiHeadAttention(2, 3, output_shape=6)(x, x, use_causal_mask=True)
    x = layers.GroupQueryAttention(3, 4, 2)(x, v)
    x = layers.Attention(use_scale=True)([x, v])
    x = layers.AdditiveAttention()([x, v])
    return keras.Model([q, v], layers.LayerNormalization()(x)), [floats(2, 5, 6), floats(2, 4, 6, seed=5)]


@model
def operators(keras):
    ops = keras.ops
    a, b = keras.Input((4,), name="a"), keras.Input((4,), name="b")
    x = (a + b) * 2.0 - 1.0 / (ops.abs(b) + 1.0)
    y = ops.reshape(x[:, 1:3], (-1, 2)) ** 2
    z = ops.concatenate([a, -b], axis=-1)
    w = ops.where(a > 0, a, np.zeros((1, 4), "float32"))
    s, t = ops.split(z, 2, axis=1)
    m = ops.mean(ops.stack([s, t, w], axis=1), axis=1, keepdims=False)
    k = ops.matmul(ops.expand_dims(m, 1), ops.transpose(ops.expand_dims(a, 1), (0, 2, 1)))
    p = ops.pad(y, ((0, 0), (1, 1)), constant_values=1.0)
    e = ops.einsum("ab,cb->ac", a, b)
    c = ops.clip(ops.take(z, np.array([0, 7, 2]), axis=1), -1, 1)
    g = ops.cast(ops.argmax(z, axis=-1), "float32") + ops.sum(ops.square(a), axis=(1,))
    n = ops.logical_and(a > 0, b > 0)
    r = keras.activations.softmax(ops.maximum(a, 0.5) @ ops.transpose(b))
    return keras.Model([a, b], [x, y, k, p, e, c, g, n, r, z[..., None]]), [
        floats(3, 4),
        floats(3, 4, seed=6),
    ]


@model
def image_operations(keras):
    ops = keras.ops
    x = keras.Input((6, 6, 3))
    y = ops.image.resize(x, (4, 5))
    z = ops.max_pool(ops.relu(x), (2, 2), padding="same")
    w = keras.activations.relu(x, negative_slope=0.1, max_value=1.0)
    s = ops.image.ssim(x, w, max_val=2.0, filter_size=3)
    v = ops.image.extract_patches_3d(ops.expand_dims(x, -1), 2, strides=1)
    return keras.Model(x, [y, z, w, s, v]), floats(2, 6, 6, 3)


@model
def arguments_of_calls(keras):
    layers = keras.layers
    x = keras.Input((4,))
    y = layers.Dropout(0.5)(x, training=False)
    y = layers.BatchNormalization()(y, training=False)
    return keras.Model(x, y), floats(2, 4)


@model
def own_classes(keras):
    Block, scaled = custom(keras).values()
    x = keras.Input((4,))
    y = Block(3, rates=(0.5, 2.0))(x)
    return keras.Model(x, keras.layers.Dense(2, activation=scaled)(y)), floats(2, 4)


def custom(keras):
    """A layer with layers in many kinds of attributes, and a function, registered under one name on both sides."""

    @keras.saving.register_keras_serializable("zoo")
    class Block(keras.layers.Layer):
        def __init__(self, units, rates=(1.0,), **options):
            super().__init__(**options)
            self.units, self.rates = units, rates
            self.zulu = keras.layers.Dense(units)
            self.Alpha = keras.layers.Dense(units)
            self._hidden = keras.layers.Dense(units)
            self.blocks = [keras.layers.Dense(units), [keras.layers.Dense(units)], keras.layers.Dropout(0.5)]
            self.table = {"b": keras.layers.Dense(units), "a": keras.layers.LayerNormalization()}
            self.same = self._hidden

        def build(self, shape):
            self.scale = self.add_weight(shape=(self.units,), initializer="random_normal", name="scale")
            self.count = self.add_weight(shape=(), initializer="ones", trainable=False, name="count")
            self.zulu.build(shape)
            for layer in (self.Alpha, self._hidden, self.blocks[0], self.blocks[1][0], *self.table.values()):
                layer.build((*shape[:-1], self.units))
            self.built = True

        def call(self, x):
            x = self.Alpha(self.zulu(x)) + self._hidden(self.zulu(x)) * self.rates[0]
            x = self.blocks[1][0](self.blocks[0](x))
            return self.table["a"](self.table["b"](self.blocks[2](x))) * self.scale + self.count

        def get_config(self):
            return {**super().get_config(), "units": self.units, "rates": self.rates}

    @keras.saving.register_keras_serializable("zoo")
    def scaled(x):
        return x * 0.5

    return {"Block": Block, "scaled": scaled}


@model
def own_model(keras):
    @keras.saving.register_keras_serializable("zoo")
    class Twin(keras.Model):
        def __init__(self, width=3, **options):
            super().__init__(**options)
            self.width = width
            self.tower = keras.Sequential([keras.layers.Dense(width), keras.layers.Dense(width)])
            self._head = keras.layers.Dense(2)
            self.norms = [keras.layers.BatchNormalization()]

        def call(self, x, training=False):
            return self._head(self.norms[0](self.tower(x), training=training))

        def get_config(self):
            return {**super().get_config(), "width": self.width}

    x = floats(8, 4)
    made = Twin()
    made(x[:1])
    # Not Adam: the biases before the normalization have gradients of rounding errors only, which it would scale up.
    return trained(made, x, floats(8, 2), optimizer="sgd"), x


@model
def ladder(keras):
    """A layer shared at several depths, a model in a model called twice, outputs that are inputs of others."""
    layers = keras.layers
    inner_x = keras.Input((4,), name="inner_x")
    inner = keras.Model(
        inner_x, [layers.Dense(4, name="a")(inner_x), layers.Dense(4, name="b")(inner_x)], name="inner"
    )
    step = layers.Dense(4, activation="tanh", name="step")
    x = keras.Input((4,), name="x")
    first, second = inner(x)
    third, _ = inner(step(step(first)))
    return keras.Model(x, {"sum": first + third, "last": step(second)}, name="ladder"), floats(3, 4)


# ---- optimizers --------------------------------------------------------------------------------------------------


def _optimizer(name, **options):
    def build(keras):
        x = floats(8, 4)
        optimizer = getattr(keras.optimizers, name)(**options)
        made = stack(keras, (4,), keras.layers.Dense(3, activation="tanh"), keras.layers.Dense(2))
        return trained(made, x, floats(8, 2), optimizer=optimizer), x

    build.__name__ = f"optimizer_{name}" + "".join(f"_{key}" for key in options)
    return model(build)


for _name in (
    "Adadelta", "Adafactor", "Adagrad", "Adam", "AdamW", "Adamax", "Ftrl", "Lamb", "Lion", "Nadam", "RMSprop", "SGD",
):  # fmt: skip
    _optimizer(_name)
_optimizer("Adam", amsgrad=True)
_optimizer("Adam", use_ema=True, gradient_accumulation_steps=2)
_optimizer("RMSprop", centered=True, momentum=0.5)
_optimizer("SGD", momentum=0.9, nesterov=True, clipnorm=1.0, weight_decay=0.01)


@model
def optimizer_loss_scale(keras):
    x = floats(8, 4)
    optimizer = keras.optimizers.LossScaleOptimizer(
        keras.optimizers.Adam(), initial_scale=2.0, dynamic_growth_steps=2
    )
    made = stack(keras, (4,), keras.layers.Dense(2))
    return trained(made, x, floats(8, 2), optimizer=optimizer), x


# ---- losses and metrics ------------------------------------------------------------------------------------------


def _losses(title, y, *losses):
    """A model with an output for each loss."""

    def build(keras):
        layers, x = keras.layers, floats(8, 4)
        inputs = keras.Input((4,))
        outputs = [layers.Dense(3, activation="softmax")(inputs) for _ in losses]
        made = keras.Model(inputs, outputs)
        made_losses = [getattr(keras.losses, name)(**options) for name, options in losses]
        return trained(made, x, [y(8, 3)] * len(losses), loss=made_losses, optimizer="sgd"), x

    build.__name__ = title
    return model(build)


def one_hot(rows, columns):
    return np.eye(columns, dtype="float32")[np.arange(rows) % columns]


_losses(
    "losses_of_numbers", lambda rows, columns: np.abs(floats(rows, columns)),
    ("MeanSquaredError", {}), ("MeanAbsoluteError", {"reduction": "sum"}), ("MeanAbsolutePercentageError", {}),
    ("MeanSquaredLogarithmicError", {}), ("Huber", {}), ("LogCosh", {}), ("Poisson", {}),
    ("CosineSimilarity", {"axis": 1}), ("Hinge", {}), ("SquaredHinge", {}), ("CategoricalHinge", {}),
)  # fmt: skip
_losses(
    "losses_of_classes", one_hot,
    ("CategoricalCrossentropy", {"label_smoothing": 0.1}), ("CategoricalFocalCrossentropy", {"alpha": 0.3}),
    ("BinaryCrossentropy", {}), ("BinaryFocalCrossentropy", {"gamma": 1.5}), ("KLDivergence", {}), ("Dice", {}),
    ("Tversky", {"alpha": 0.4, "beta": 0.6}),
)  # fmt: skip


@model
def metrics(keras):
    all_of, x = keras.metrics, floats(8, 4)
    made = stack(keras, (4,), keras.layers.Dense(3, activation="softmax"))
    several = [
        "accuracy", all_of.AUC(num_thresholds=20), all_of.Precision(0.4), all_of.Recall(top_k=2), all_of.F1Score(average="macro"),
        all_of.CategoricalCrossentropy(label_smoothing=0.1), all_of.OneHotMeanIoU(3), all_of.TopKCategoricalAccuracy(2),
        all_of.RootMeanSquaredError(name="distance"), all_of.SpecificityAtSensitivity(0.5), all_of.R2Score(),
        all_of.MeanMetricWrapper(keras.losses.mean_squared_error, name="wrapped"),
    ]  # fmt: skip
    options = {"loss": "categorical_crossentropy", "metrics": several, "weighted_metrics": ["mae"]}
    return trained(made, x, one_hot(8, 3), optimizer="sgd", **options), x


# ---- texts ---------------------------------------------------------------------------------------------------------


@needs("IntegerLookup")
def lookups(keras):
    layer = keras.layers.IntegerLookup(output_mode="one_hot")
    layer.adapt(np.array([7, 7, 5, 9]))
    return stack(keras, (1,), layer, keras.layers.Dense(2), dtype="int64"), np.array([[7], [8]])


@needs("Discretization", "CategoryEncoding")
def categories(keras):
    layers = keras.layers
    return stack(
        keras, (3,), layers.Discretization([0.0, 1.0]), layers.CategoryEncoding(3, output_mode="count")
    ), floats(4, 3)
