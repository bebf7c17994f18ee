"""Steps that users write: once for all engines, or in the habits of one engine."""

import threading

import numpy as np
import pytest

import kerata
from kerata import layers, ops

RNG = np.random.default_rng(0)
X = RNG.normal(size=(12, 3)).astype("float32")
Y = (X[:, :1] * 2 - 1).astype("float32")


def net(cls=kerata.Sequential):
    kerata.utils.set_random_seed(0)
    return kerata.Sequential([kerata.Input((3,)), layers.Dense(4, activation="tanh"), layers.Dense(1)])


class Own(kerata.Model):
    """A train_step of its own: the gradients are halved."""

    def train_step(self, data):
        x, y = data

        def loss_of():
            return ops.mean(ops.square(ops.subtract(y, self(x, training=True))))

        loss, grads = kerata.value_and_grad(loss_of, self.trainable_variables)()
        self.optimizer.apply([ops.multiply(g, 0.5) for g in grads], self.trainable_variables)
        return {"halved": loss}


def test_an_own_train_step_is_compiled_on_all(engine):
    plain = net()
    plain.compile(kerata.optimizers.SGD(0.05), "mse")
    expected = plain.fit(X, Y, batch_size=4, epochs=2, shuffle=False, verbose=0)
    inner = net()
    model = Own(inner.input, inner.output)
    model.compile(kerata.optimizers.SGD(0.1), "mse")
    history = model.fit(X, Y, batch_size=4, epochs=2, shuffle=False, verbose=0)
    assert list(history.history) == ["halved"] and len(expected.history["loss"]) == 2
    for a, b in zip(model.get_weights(), plain.get_weights(), strict=True):
        np.testing.assert_allclose(a, b, rtol=1e-4, atol=1e-6)


def test_an_own_compute_loss(engine):
    class Doubled(kerata.Model):
        def compute_loss(self, x=None, y=None, y_pred=None, sample_weight=None, training=True):
            return ops.multiply(super().compute_loss(x, y, y_pred, sample_weight, training), 2.0)

    inner = net()
    inner.compile(kerata.optimizers.SGD(0.1), "mse")
    once = inner.evaluate(X, Y, verbose=0)
    model = Doubled(inner.input, inner.output)
    model.compile(kerata.optimizers.SGD(0.1), "mse")
    np.testing.assert_allclose(model.evaluate(X, Y, verbose=0), 2 * once, rtol=1e-5)
    np.testing.assert_allclose(
        model.fit(X, Y, verbose=0, batch_size=12).history["loss"], [2 * once], rtol=1e-5
    )


def test_moving_in_the_middle(engine):
    """Half of the training elsewhere makes no difference: weights, moments and random state move along."""

    def curve(first, second):
        with kerata.use_backend(first):
            kerata.utils.set_random_seed(5)
            model = kerata.Sequential(
                [
                    kerata.Input((3,)),
                    layers.Dense(8),
                    layers.BatchNormalization(),
                    layers.Dropout(0.3),
                    layers.Dense(1),
                ]
            )
            model.compile(kerata.optimizers.Adam(0.01), "mse")
            losses = [model.train_on_batch(X, Y) for _ in range(3)]
        model.to_backend(second)
        assert {
            v.engine.name for v in [*model.variables, *model.optimizer.variables, *model.metrics_variables]
        } == {second}
        return losses + [model.train_on_batch(X, Y) for _ in range(3)]

    expected = curve("numpy", "numpy")
    np.testing.assert_allclose(curve("numpy", engine), expected, rtol=1e-5)
    np.testing.assert_allclose(curve(engine, "numpy"), expected, rtol=1e-5)


def test_two_threads_on_two_engines(engine):
    results, errors = {}, []

    def work(name):
        try:
            with kerata.use_backend(name):
                model = kerata.Sequential([kerata.Input((3,)), layers.Dense(1, kernel_initializer="ones")])
                model.compile(kerata.optimizers.SGD(0.1), "mse")
                results[name] = model.fit(X, Y, epochs=3, shuffle=False, verbose=0).history["loss"]
        except Exception as error:
            errors.append(error)

    threads = [threading.Thread(target=work, args=(name,)) for name in {engine, "numpy"}]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not errors
    np.testing.assert_allclose(results[engine], results["numpy"], rtol=1e-5)


# ---- the engines' own habits ---------------------------------------------------------------------------


def expected_gradients():
    with kerata.use_backend("numpy"):
        model = net()
        _, grads = kerata.value_and_grad(
            lambda: ops.mean(ops.square(ops.subtract(model(X), Y))), model.trainable_variables
        )()
        return [ops.convert_to_numpy(g) for g in grads]


def test_a_gradient_tape():
    import tensorflow as tf

    with kerata.use_backend("tensorflow"):
        model = net()
        with tf.GradientTape() as tape:
            loss = tf.reduce_mean(tf.square(model(tf.constant(X)) - Y))
        grads = tape.gradient(loss, model.trainable_weights)
    for a, b in zip(grads, expected_gradients(), strict=True):
        np.testing.assert_allclose(a.numpy(), b, rtol=1e-4, atol=1e-6)


def test_a_backward_pass_and_an_optimizer_of_pytorch():
    import torch

    with kerata.use_backend("torch"):
        model = net()
        before = model.get_weights()
        optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
        torch.mean((model(torch.tensor(X)) - torch.tensor(Y)) ** 2).backward()
        optimizer.step()
    for new, old, g in zip(model.get_weights(), before, expected_gradients(), strict=True):
        np.testing.assert_allclose(new, old - 0.1 * g, rtol=1e-4, atol=1e-6)


def test_pure_functions_under_jit():
    import jax
    import jax.numpy as jnp

    with kerata.use_backend("jax"):
        model, optimizer = net(), kerata.optimizers.SGD(0.1)
        before = model.get_weights()
        optimizer.build(model.trainable_variables)

        def loss_of(trainable, frozen, x, y):
            y_pred, frozen = model.stateless_call(trainable, frozen, x, training=True)
            return jnp.mean((y_pred - y) ** 2), frozen

        @jax.jit
        def step(trainable, frozen, slots, x, y):
            (_, frozen), grads = jax.value_and_grad(loss_of, has_aux=True)(trainable, frozen, x, y)
            trainable, slots = optimizer.stateless_apply(slots, grads, trainable)
            return trainable, frozen, slots

        new, _, slots = step(
            [v.value for v in model.trainable_variables],
            [v.value for v in model.non_trainable_variables],
            [v.value for v in optimizer.variables],
            X,
            Y,
        )
    assert int(slots[0]) == 1 and int(optimizer.iterations) == 0
    for a, old, kept, g in zip(new, before, model.get_weights(), expected_gradients(), strict=True):
        np.testing.assert_array_equal(old, kept)  # nothing leaked out of the pure function
        np.testing.assert_allclose(a, old - 0.1 * g, rtol=1e-4, atol=1e-6)


# ---- dtypes and masks ---------------------------------------------------------------------------------


@pytest.mark.parametrize("policy", ["float64", "mixed_bfloat16", "mixed_float16", "bfloat16", "float16"])
def test_dtype_policies_train(engine, policy):
    kerata.utils.set_random_seed(0)
    model = kerata.Sequential(
        [kerata.Input((3,), dtype="float32"), layers.Dense(4, dtype=policy), layers.Dense(1, dtype=policy)]
    )
    model.compile(kerata.optimizers.SGD(0.05), "mse")
    losses = model.fit(X, Y, epochs=6, verbose=0).history["loss"]
    assert losses[-1] < losses[0]
    variable, compute = ("float32", policy[6:]) if policy.startswith("mixed") else (policy, policy)
    assert {v.dtype for v in model.weights} == {variable}
    assert kerata.backends.current().dtype_of(model(X)) == compute


def test_masks_reach_the_layer_that_wants_them(engine):
    x = np.array([[1, 2, 0, 0], [3, 0, 0, 0]])
    embedding = layers.Embedding(4, 2, mask_zero=True)
    inputs = kerata.Input((4,), dtype="int32")
    outputs = layers.GlobalAveragePooling1D()(layers.Dropout(0.0)(embedding(inputs)))
    functional = kerata.Model(inputs, outputs)
    table = embedding.get_weights()[0]
    expected = np.stack([table[[1, 2]].mean(0), table[3]])
    stacked = kerata.Sequential([embedding, layers.Dropout(0.0), layers.GlobalAveragePooling1D()])
    for model in (functional, stacked):
        np.testing.assert_allclose(ops.convert_to_numpy(model(x)), expected, rtol=1e-6)
        np.testing.assert_allclose(model.predict(x, verbose=0), expected, rtol=1e-6)


# ---- whole loops in the engines' own habits --------------------------------------------------------------


def expected_losses():
    """Three steps of SGD on all rows."""
    with kerata.use_backend("numpy"):
        model = net()
        model.compile(kerata.optimizers.SGD(0.1), "mse")
        return model.fit(X, Y, batch_size=12, epochs=3, shuffle=False, verbose=0).history["loss"]


def test_a_loop_of_jax_takes_the_variables_as_they_are():
    import jax

    with kerata.use_backend("jax"):
        model, optimizer, mse = net(), kerata.optimizers.SGD(0.1), kerata.losses.MeanSquaredError()
        optimizer.build(model.trainable_variables)

        def loss_of(trainable, frozen, x, y):
            y_pred, frozen = model.stateless_call(trainable, frozen, x, training=True)
            return mse(y, y_pred), frozen

        @jax.jit
        def step(state, x, y):
            trainable, frozen, slots = state
            (loss, frozen), grads = jax.value_and_grad(loss_of, has_aux=True)(trainable, frozen, x, y)
            trainable, slots = optimizer.stateless_apply(slots, grads, trainable)
            return loss, (trainable, frozen, slots)

        state = model.trainable_variables, model.non_trainable_variables, optimizer.variables
        losses = []
        for _ in range(3):
            loss, state = step(state, X, Y)
            losses.append(float(loss))
    np.testing.assert_allclose(losses, expected_losses(), rtol=1e-5)


class Stateless(kerata.Model):
    """Steps that get the state and give a new one."""

    def train_step(self, state, data):
        import jax

        trainable, frozen, slots, metrics = state
        x, y = data

        def loss_of(trainable, frozen):
            y_pred, frozen = self.stateless_call(trainable, frozen, x, training=True)
            return self.compute_loss(x, y, y_pred), frozen

        (loss, frozen), grads = jax.value_and_grad(loss_of, has_aux=True)(trainable, frozen)
        trainable, slots = self.optimizer.stateless_apply(slots, grads, trainable)
        return {"loss": loss}, (trainable, frozen, slots, metrics)

    def test_step(self, state, data):
        trainable, frozen, metrics = state
        x, y = data
        y_pred, frozen = self.stateless_call(trainable, frozen, x, training=False)
        return {"loss": self.compute_loss(x, y, y_pred)}, (trainable, frozen, metrics)


@pytest.mark.parametrize("run_eagerly", [False, True])
def test_a_step_of_jax_takes_the_state(run_eagerly):
    with kerata.use_backend("jax"):
        inner = net()
        model = Stateless(inner.input, inner.output)
        model.compile(kerata.optimizers.SGD(0.1), "mse", run_eagerly=run_eagerly)
        found = model.fit(X, Y, batch_size=12, epochs=2, shuffle=False, verbose=0).history["loss"]
        found.append(model.evaluate(X, Y, batch_size=12, verbose=0))
    np.testing.assert_allclose(found, expected_losses(), rtol=1e-5)


def test_a_loop_of_tensorflow_compiled_by_its_user():
    import tensorflow as tf

    with kerata.use_backend("tensorflow"):
        model, optimizer, mse = net(), kerata.optimizers.SGD(0.1), kerata.losses.MeanSquaredError()

        @tf.function  # with AutoGraph, as it comes
        def step(x, y):
            with tf.GradientTape() as tape:
                loss = mse(y, model(x, training=True))
            grads = tape.gradient(loss, model.trainable_weights)
            optimizer.apply(grads, model.trainable_weights)
            return loss

        losses = [float(step(tf.constant(X), tf.constant(Y))) for _ in range(3)]
    np.testing.assert_allclose(losses, expected_losses(), rtol=1e-5)


def test_losses_after_a_step_are_no_tensors_of_a_trace(engine):
    class Adding(kerata.layers.Layer):
        def call(self, x):
            self.add_loss(kerata.ops.mean(x))
            return x

    model = kerata.Sequential([Adding(), kerata.layers.Dense(1, kernel_regularizer="l2")])
    model.compile("sgd", "mse")
    x, y = np.ones((4, 3), "float32"), np.ones((4, 1), "float32")
    for run in (model.fit, model.evaluate):
        run(x, y, verbose=0)
        assert [np.isfinite(float(loss)) for loss in model.losses] == [True]  # the penalty
    model(x)
    assert float(model.losses[0]) == 1.0
