"""Penalties that training adds to the loss."""

from kerata.regularizers.identifiers import deserialize as deserialize
from kerata.regularizers.identifiers import get as get
from kerata.regularizers.identifiers import serialize as serialize
from kerata.regularizers.l1_l2 import L1 as L1
from kerata.regularizers.l1_l2 import L1L2 as L1L2
from kerata.regularizers.l1_l2 import L2 as L2
from kerata.regularizers.l1_l2 import l1 as l1
from kerata.regularizers.l1_l2 import l1_l2 as l1_l2
from kerata.regularizers.l1_l2 import l2 as l2
from kerata.regularizers.orthogonal_regularizer import OrthogonalRegularizer as OrthogonalRegularizer
from kerata.regularizers.orthogonal_regularizer import orthogonal_regularizer as orthogonal_regularizer
from kerata.regularizers.regularizer import Regularizer as Regularizer
