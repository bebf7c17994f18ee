"""Placeholder until the portable generator lands (replaced by its owner)."""
import numpy as np
_seed=[np.random.SeedSequence().entropy % 2**32, 0]
def set_seed(s): _seed[:]=[s,0]
def draw_seed():
    _seed[1]+=1
    return (_seed[0]*1000003+_seed[1]) % 2**32
def uniform(shape, minval=0.0, maxval=1.0, dtype="float32", seed=None):
    return np.random.default_rng(seed).uniform(minval,maxval,shape).astype("float32")
def normal(shape, mean=0.0, stddev=1.0, dtype="float32", seed=None):
    return np.random.default_rng(seed).normal(mean,stddev,shape).astype("float32")
truncated_normal=normal
