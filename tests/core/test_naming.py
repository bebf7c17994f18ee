"""Names of layers: those that Keras gives, so that paths in saved files agree."""

import threading

import keras
import pytest

from kerata.core import naming


def classes(*areas):
    return sorted({name for area in areas for name in dir(area) if isinstance(getattr(area, name), type)})


@pytest.mark.parametrize(
    "area", [keras.layers, keras.losses, keras.metrics, keras.optimizers, keras.initializers]
)
def test_snake_case_of_every_class_of_the_peer(area):
    from keras.src.utils.naming import to_snake_case  # called, to compare its answers

    names = classes(area)
    assert len(names) > 10
    assert {n: naming.to_snake_case(n) for n in names} == {n: to_snake_case(n) for n in names}


@pytest.mark.parametrize(
    "name, snake",
    [
        ("Conv2D", "conv2d"),
        ("MultiHeadAttention", "multi_head_attention"),
        ("LSTM", "lstm"),
        ("ReLU", "re_lu"),
        ("BatchNormalization", "batch_normalization"),
        ("PReLU", "p_re_lu"),
        ("GPT2Backbone", "gpt2_backbone"),
        ("HTTPServer", "http_server"),
        ("_Private", "__private"),
        ("my layer!", "mylayer"),
        ("", ""),
        ("RMSprop", "rm_sprop"),
    ],
)
def test_snake_case(name, snake):
    assert naming.to_snake_case(name) == snake


def test_layers_are_numbered_as_the_peer_numbers_them():
    keras.utils.clear_session()
    theirs = [
        layer(1).name
        for layer in (keras.layers.Dense, keras.layers.LSTM, keras.layers.Dense, keras.layers.Dense)
    ]
    assert [naming.auto_name(n) for n in ("Dense", "LSTM", "Dense", "Dense")] == theirs
    naming.reset_names()
    assert naming.auto_name("Dense") == "dense"


def test_unique_name_keeps_its_argument():
    assert [naming.unique_name("Block") for _ in range(3)] == ["Block", "Block_1", "Block_2"]


def test_names_are_unique_across_threads():
    found = []

    def take():
        found.extend(naming.unique_name("x") for _ in range(500))

    threads = [threading.Thread(target=take) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(set(found)) == 2000
