"""Random numbers: portable streams, the same on every engine."""

from .draws import categorical as categorical
from .draws import dropout as dropout
from .draws import normal as normal
from .draws import randint as randint
from .draws import shuffle as shuffle
from .draws import truncated_normal as truncated_normal
from .draws import uniform as uniform
from .seed_generator import SeedGenerator as SeedGenerator
