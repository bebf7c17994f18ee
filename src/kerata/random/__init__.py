"""Random numbers: portable streams, the same on every engine."""

from .beta import beta as beta
from .binomial import binomial as binomial
from .categorical import categorical as categorical
from .dropout import bernoulli as bernoulli
from .dropout import dropout as dropout
from .elastic import elastic_transform as _elastic_transform  # noqa: F401  (the op of images, declared with its kin)
from .gamma import gamma as gamma
from .gumbel import gumbel as gumbel
from .normal import normal as normal
from .normal import truncated_normal as truncated_normal
from .randint import randint as randint
from .seed_generator import SeedGenerator as SeedGenerator
from .shuffle import permutation as permutation
from .shuffle import shuffle as shuffle
from .uniform import uniform as uniform
