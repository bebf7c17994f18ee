"""Stateless scopes, and the pure forms of stateful calls."""

import numpy as np
import pytest

import kerata
from kerata.core.errors import ArgumentError


@pytest.fixture
def model(engine):
    model = kerata.Sequential(
        [kerata.Input((3,)), kerata.layers.Dense(2, activity_regularizer="l2", kernel_regularizer="l2")]
    )
    model.compile("sgd", "mse", metrics=["mae"])
    model.train_on_batch(np.ones((4, 3), "float32"), np.ones((4, 2), "float32"))
    return model


def test_a_scope_collects_what_layers_add_to_the_loss(engine):
    layer = kerata.layers.Dense(
        2, activity_regularizer="l2", kernel_regularizer="l2", kernel_initializer="ones"
    )
    x = np.ones((4, 3), "float32")
    layer(x)
    with kerata.StatelessScope(collect_losses=True) as scope:
        layer(x)
    # 0.01 times the sum of squares of 4 x 2 threes, by the 4 rows; the penalty of the weights is no part of a call
    np.testing.assert_allclose([float(v) for v in scope.losses], [0.01 * 8 * 9 / 4], rtol=1e-6)
    with kerata.StatelessScope() as scope:
        layer(x)
    assert scope.losses == []


def test_variables_of_a_scope_may_wait_for_their_first_value(engine):
    made = []

    def first(shape, dtype=None):
        made.append(shape)
        return kerata.ops.ones(shape, dtype)

    with kerata.StatelessScope(initialize_variables=False):
        waiting = kerata.Variable(first, shape=(2,), dtype="float32")
    assert made == []
    np.testing.assert_array_equal(waiting.numpy(), [1, 1])
    kerata.Variable(first, shape=(3,), dtype="float32")
    assert made == [(2,), (3,)]


def _groups(model):
    optimizer, metric = model.optimizer, model.metrics[0]
    values = [v.value for v in model.trainable_variables]
    gradients = [kerata.ops.ones_like(v) for v in values]
    x, y = np.ones((4, 3), "float32"), np.ones((4, 2), "float32")
    return {
        "trainable_variables": [
            lambda wrong: model.stateless_call(wrong, [], x),
            lambda wrong: optimizer.stateless_apply([v.value for v in optimizer.variables], gradients, wrong),
            lambda wrong: model.stateless_compute_loss(
                wrong, [], [v.value for v in model.metrics_variables], x=x, y=y, y_pred=y
            ),
        ],
        "non_trainable_variables": [lambda wrong: model.stateless_call(values, wrong, x)],
        "optimizer_variables": [lambda wrong: optimizer.stateless_apply(wrong, gradients, values)],
        "metrics_variables": [
            lambda wrong: model.stateless_compute_loss(values, [], wrong, x=x, y=y, y_pred=y)
        ],
        "metric_variables": [
            lambda wrong: metric.stateless_update_state(wrong, 1.0), lambda wrong: metric.stateless_result(wrong)
        ],
    }  # fmt: skip


def test_another_number_of_values_is_refused_by_every_stateless_call(model):
    wrong = [np.ones(7, "float32")] * 9
    for argument, calls in _groups(model).items():
        for call in calls:
            with pytest.raises(ArgumentError, match=f"`{argument}` must be .* values, one for each variable"):
                call(wrong)


def test_stateless_metrics_are_those_with_a_state(engine):
    metric = kerata.metrics.Mean()
    values = metric.stateless_reset_state()
    for given in ([1.0, 2.0], [6.0]):
        values = metric.stateless_update_state(values, given)
    assert float(metric.stateless_result(values)) == 3.0
    assert float(metric.result()) == 0.0


def test_unknown_keywords_are_refused(model):
    with pytest.raises(ArgumentError, match="`batchsize` must be an argument of evaluate"):
        model.evaluate(np.ones((4, 3)), np.ones((4, 2)), batchsize=2)


def test_values_of_another_shape_are_refused(engine):
    v = kerata.Variable(np.zeros((2, 3), "float32"), name="v")
    with pytest.raises(ArgumentError, match=r"shape \(2, 3\) for the variable 'v'"):
        kerata.StatelessScope([(v, np.zeros((3,), "float32"))])
