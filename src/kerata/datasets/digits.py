"""The digits that come with Kerata: 1,797 small images, so that a first model trains without a download."""

from importlib import resources

import numpy as np

Split = tuple[np.ndarray, np.ndarray]

TEST_EVERY = 5


def load_data() -> tuple[Split, Split]:
    """Loads the digits, split into a training and a test part.

    Handwritten digits by 13 people as images of 8×8 pixels. A pixel is an integer from 0 (empty) to 16 (full).

    The split is fixed and needs no random numbers: of each digit's images, in the order of the source, every
    fifth belongs to the test part. So both parts hold the ten digits in equal shares, and results can be
    compared between machines and years. Within a part the order is that of the source.

    Returns:
        `(x_train, y_train), (x_test, y_test)`, NumPy arrays of dtype `uint8`:

        - `x_train`: images, shape `(1442, 8, 8)`, values 0 to 16.
        - `y_train`: digits, shape `(1442,)`, values 0 to 9.
        - `x_test`: images, shape `(355, 8, 8)`.
        - `y_test`: digits, shape `(355,)`.

    Source:
        E. Alpaydin and C. Kaynak (1998), Optical Recognition of Handwritten Digits (its test set),
        UCI Machine Learning Repository, https://doi.org/10.24432/C50P49. Licence: CC BY 4.0,
        https://creativecommons.org/licenses/by/4.0/. scikit-learn's `load_digits` holds the same images.

    Example:
        >>> from kerata.datasets import digits
        >>> (x_train, y_train), (x_test, y_test) = digits.load_data()
        >>> x_train.shape, x_test.shape
        ((1442, 8, 8), (355, 8, 8))
        >>> print(x_train[0])  # a zero
        [[ 0  0  5 13  9  1  0  0]
         [ 0  0 13 15 10 15  5  0]
         [ 0  3 15  2  0 11  8  0]
         [ 0  4 12  0  0  8  8  0]
         [ 0  5  8  0  0  9  8  0]
         [ 0  4 11  0  1 12  7  0]
         [ 0  2 14  5 10 12  0  0]
         [ 0  0  6 13 10  0  0  0]]
    """
    with (resources.files(__package__) / "data" / "digits.npz").open("rb") as file:
        with np.load(file, allow_pickle=False) as arrays:
            images, labels = arrays["images"], arrays["labels"]
    test = _is_test(labels)
    return (images[~test], labels[~test]), (images[test], labels[test])


def _is_test(labels: np.ndarray) -> np.ndarray:
    """Marks every fifth image of each class."""
    marks = np.zeros(labels.shape, dtype=bool)
    for label in np.unique(labels):
        of_label = np.flatnonzero(labels == label)
        marks[of_label[TEST_EVERY - 1 :: TEST_EVERY]] = True
    return marks
