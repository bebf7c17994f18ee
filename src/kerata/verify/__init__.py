"""Conformance: the questions that every op answers on every engine, made from its declaration."""

from .cases import Case as Case
from .cases import cases_of as cases_of
from .cases import declared as declared
from .checks import QUESTIONS as QUESTIONS
from .checks import Question as Question
from .checks import compiled as compiled
from .checks import gradients as gradients
from .checks import refusals as refusals
from .checks import symbolic as symbolic
from .checks import values as values
from .compare import difference as difference
from .compare import plain as plain
from .outcome import Outcome as Outcome
from .suite import Answer as Answer
from .suite import Plan as Plan
from .suite import Report as Report
from .suite import run as run
from .suite import select as select
from .suite import wide_tolerances as wide_tolerances
