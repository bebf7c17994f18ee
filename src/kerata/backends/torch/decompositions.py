"""Linear algebra and the Fourier transform in PyTorch; the `_ex` functions do not raise on values."""

from __future__ import annotations

from typing import Any

import torch

from .derivatives import ruled

Tensor = Any


def cholesky(x: Tensor) -> Tensor:
    factor, info = torch.linalg.cholesky_ex(x)
    return torch.where((info == 0)[..., None, None], factor, torch.nan)


def solve(a: Tensor, b: Tensor) -> Tensor:
    out, info = torch.linalg.solve_ex(a, b)
    return torch.where((info == 0)[..., None, None], out, torch.nan)


def det(x: Tensor) -> Tensor:
    return torch.linalg.det(x)


def triangular_solve(a: Tensor, b: Tensor, lower: bool) -> Tensor:
    return torch.linalg.solve_triangular(a, b, upper=not lower)


def lu_factor(x: Tensor) -> tuple[Tensor, Tensor]:
    lu, pivots, _ = torch.linalg.lu_factor_ex(x)
    return lu, pivots.to(torch.int32) - 1  # LAPACK counts from one


def slogdet(x: Tensor) -> tuple[Tensor, Tensor]:
    return tuple(torch.linalg.slogdet(x))


def qr(x: Tensor, full: bool) -> tuple[Tensor, Tensor]:
    return tuple(torch.linalg.qr(x, "complete" if full else "reduced"))


def svd(x: Tensor, full: bool) -> tuple[Tensor, Tensor, Tensor]:
    return tuple(torch.linalg.svd(x, full_matrices=full))


def eigh(x: Tensor) -> tuple[Tensor, Tensor]:
    return tuple(torch.linalg.eigh(x))


def eig(x: Tensor) -> tuple[Tensor, Tensor]:
    return tuple(torch.linalg.eig(x))


def fft(x: Tensor, inverse: bool) -> Tensor:
    if x.numel() == 0:  # MKL refuses it
        return x.clone()
    return torch.fft.ifft(x) if inverse else torch.fft.fft(x)


TABLE: dict[str, Any] = {
    "cholesky": cholesky, "solve": solve, "det": det, "triangular_solve": triangular_solve, "lu_factor": lu_factor,
    "slogdet": slogdet, "qr": qr, "svd": svd, "eigh": eigh, "eig": eig, "fft": fft,
}  # fmt: skip

for _name in ("cholesky", "det", "eig", "eigh", "lu_factor", "qr", "slogdet", "solve", "svd"):
    TABLE[_name] = ruled(_name, TABLE[_name])
