"""Constraints: what weights are projected to after each update."""

from kerata.constraints.constraint import Constraint as Constraint
from kerata.constraints.identifiers import deserialize as deserialize
from kerata.constraints.identifiers import get as get
from kerata.constraints.identifiers import serialize as serialize
from kerata.constraints.norms import MaxNorm as MaxNorm
from kerata.constraints.norms import MinMaxNorm as MinMaxNorm
from kerata.constraints.norms import NonNeg as NonNeg
from kerata.constraints.norms import UnitNorm as UnitNorm
from kerata.constraints.norms import max_norm as max_norm
from kerata.constraints.norms import min_max_norm as min_max_norm
from kerata.constraints.norms import non_neg as non_neg
from kerata.constraints.norms import unit_norm as unit_norm
