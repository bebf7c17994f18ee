"""`kerata.ops.linalg`: the ops of linear algebra, by Keras's names."""

from .factorisation import eig as eig
from .factorisation import eigh as eigh
from .factorisation import lstsq as lstsq
from .factorisation import matrix_rank as matrix_rank
from .factorisation import pinv as pinv
from .factorisation import qr as qr
from .factorisation import svd as svd
from .mapping import jvp as jvp
from .matrices import cholesky as cholesky
from .matrices import cholesky_inverse as cholesky_inverse
from .matrices import det as det
from .matrices import inv as inv
from .matrices import lu_factor as lu_factor
from .matrices import solve as solve
from .matrices import solve_triangular as solve_triangular
from .norms import norm as norm
